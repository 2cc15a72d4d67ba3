import { createHash, timingSafeEqual } from 'node:crypto';

/** Who may use a server over HTTP. A user's name has no colon (RFC 7617); a token has no blanks (RFC 6750). */
export type HttpAuthentication =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string };

/**
 * Who asks, or why not. `key` names the secret in limits without being it, and is empty where none is asked for; `detail`
 * is a sentence for the answer, with nothing of what was sent in it.
 */
export type Authorised = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly detail: string };

const REALM = 'realm="baseunit"';
/** Digits of a secret's hash that name it. */
const KEY_OCTETS = 8;

const open: Authorised = { ok: true, key: '' };
const hash = (secret: string | Uint8Array): Buffer => createHash('sha256').update(secret).digest();

/** Compares `Authorization` headers with what is asked for, in a time that tells nothing about it, its length included. */
export class HttpAuthenticator {
  /** For the header `WWW-Authenticate` of a 401; `undefined`: nothing is asked for, so that none is ever needed. */
  readonly challenge: string | undefined;
  readonly #kind: HttpAuthentication['kind'];
  readonly #hash: Buffer;
  readonly #key: string;

  constructor(authentication: HttpAuthentication) {
    this.#kind = authentication.kind;
    this.#hash = hash(secretOf(authentication));
    this.#key = this.#hash.toString('hex', 0, KEY_OCTETS);
    this.challenge = challenges[authentication.kind];
  }

  check(header: string | undefined): Authorised {
    if (this.#kind === 'none') return open;
    if (header === undefined) return refuse(missing[this.#kind]);
    const given = this.#kind === 'basic' ? basicOf(header) : bearerOf(header);
    if (given === undefined) return refuse(malformed[this.#kind]);
    return timingSafeEqual(hash(given), this.#hash) ? { ok: true, key: this.#key } : refuse(wrong[this.#kind]);
  }
}

const challenges = {
  none: undefined,
  basic: `Basic ${REALM}, charset="UTF-8"`,
  bearer: `Bearer ${REALM}`,
} as const;
const missing = { basic: 'The request has no user and password.', bearer: 'The request has no token.' } as const;
const malformed = {
  basic: 'The Authorization header is not of the kind Basic.',
  bearer: 'The Authorization header is no bearer token.',
} as const;
const wrong = { basic: 'The user or the password is wrong.', bearer: "The token is not the base's." } as const;

const refuse = (detail: string): Authorised => ({ ok: false, detail });

function secretOf(authentication: HttpAuthentication): string {
  switch (authentication.kind) {
    case 'none':
      return '';
    case 'basic':
      return `${authentication.user}:${authentication.password}`;
    case 'bearer':
      return authentication.token;
  }
}

const bearerOf = (header: string): string | undefined => /^bearer +([^ ]+) *$/i.exec(header)?.[1];

/** `user:password` in base64 (RFC 7617). */
function basicOf(header: string): Uint8Array | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}
