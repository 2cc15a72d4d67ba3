import { createHash, timingSafeEqual } from 'node:crypto';

/** Who asks: the API's token, or why not. `key` names the token in limits without being it. */
export type Authorised = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly detail: string };

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares `Authorization: Bearer …` with a token, in a time that tells nothing about either, their lengths included. */
export class BearerToken {
  readonly #hash: Buffer;

  constructor(token: string) {
    this.#hash = hash(token);
  }

  check(header: string | undefined): Authorised {
    const match = /^bearer +([^ ]+) *$/i.exec(header ?? '');
    if (match === null) {
      const what = header === undefined ? 'The request has no token.' : 'The Authorization header is no bearer token.';
      return { ok: false, detail: `${what} ${advice}` };
    }
    const theirs = hash(match[1]!);
    if (!timingSafeEqual(theirs, this.#hash)) return { ok: false, detail: `The token is not the base's. ${advice}` };
    return { ok: true, key: this.#hash.toString('hex', 0, 8) };
  }
}

const advice =
  'Send the header "Authorization: Bearer <token>"; the token is in the file api-token in the base\'s state folder, and "baseunit keys" shows where that is.';
