/** An answer of the HTTP API. Refusals say why in `error`. */
export interface ApiAnswer {
  readonly status: 200 | 400 | 401 | 403 | 404 | 405 | 413 | 426 | 500;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export function answered(body: object = {}): ApiAnswer {
  return { status: 200, body };
}

/** Why a request is not done; returned, not thrown. */
export class Refusal implements ApiAnswer {
  readonly status: ApiAnswer['status'];
  readonly body: { readonly error: string; readonly code: number };
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: ApiAnswer['status'], error: string, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = { error, code: status };
    this.headers = headers;
  }
}
