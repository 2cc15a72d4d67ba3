import { HttpAuthenticator } from '../../links/http-authentication.js';

const hexOf = (key: Uint8Array): string => Buffer.from(key).toString('hex');

/** The header by which the base proves itself to the central's webhooks: the central's key in hex, as the original writes it. */
export function centralBearer(key: Uint8Array): string {
  return `Bearer ${hexOf(key)}`;
}

/** Compares an `Authorization` header with the central's key, in a time that tells nothing about it. The digits' case does not matter. */
export class CentralBearer {
  readonly #authenticator: HttpAuthenticator;

  constructor(key: Uint8Array) {
    this.#authenticator = new HttpAuthenticator({ kind: 'bearer', token: hexOf(key) });
  }

  matches(header: string | undefined): boolean {
    return this.#authenticator.check(header?.toLowerCase()).ok;
  }
}
