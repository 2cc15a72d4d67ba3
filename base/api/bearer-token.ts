import { type Authorised, HttpAuthenticator } from '../links/http-authentication.js';

/** Compares `Authorization: Bearer …` with the API's token; a refusal says where that is found. */
export class BearerToken {
  readonly #authenticator: HttpAuthenticator;

  constructor(token: string) {
    this.#authenticator = new HttpAuthenticator({ kind: 'bearer', token });
  }

  check(header: string | undefined): Authorised {
    const authorised = this.#authenticator.check(header);
    return authorised.ok ? authorised : { ok: false, detail: `${authorised.detail} ${advice}` };
  }
}

const advice =
  'Send the header "Authorization: Bearer <token>"; the token is in the file api-token in the base\'s state folder, and "baseunit keys" shows where that is.';
