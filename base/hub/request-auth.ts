import { Refusal } from './api-answer.js';
import { decoded, split } from './request-target.js';
import { bodyMd5, isSameText, requestText, sign } from './signatures.js';

/** How far a request's clock may be from ours, in seconds, either way. */
const TIMESTAMP_TOLERANCE_S = 600;

export interface SignedRequest {
  readonly method: string;
  /** As it stands in the request line, without the query. */
  readonly path: string;
  readonly query: string;
}

/** Libraries sign values as they are, then encode them for the address: as an address, as a form, or not at all. */
const readings: readonly ((text: string) => string)[] = [
  decoded,
  (text) => decoded(text.replaceAll('+', ' ')),
  (text) => text,
];

export type Parameters = ReadonlyMap<string, string>;

/**
 * Checks the signature of a request (`reference/pusher.md` 1.7) before its body is read; `bodyFault` checks the body.
 * Gives the query's parameters, keys in lower case, or a 401.
 */
export function checkSignature(
  app: { readonly key: string; readonly secret: string },
  request: SignedRequest,
  nowMs: number,
): Parameters | Refusal {
  const parameters = queryParameters(request.query, decoded);
  if (parameters === undefined) return new Refusal(400, 'A query parameter is given twice');
  for (const name of ['auth_key', 'auth_timestamp', 'auth_version', 'auth_signature']) {
    if (!parameters.get(name)) return new Refusal(401, `Authentication parameter missing: ${name}`);
  }
  if (!isSameText(parameters.get('auth_key')!, app.key)) return new Refusal(401, 'Unknown auth_key');
  if (parameters.get('auth_version') !== '1.0') return new Refusal(401, 'Invalid auth_version: expected 1.0');

  const timestamp = parameters.get('auth_timestamp')!;
  const nowS = Math.floor(nowMs / 1000);
  if (!/^\d{1,15}$/.test(timestamp)) return new Refusal(401, 'Invalid auth_timestamp: expected seconds of Unix time');
  if (Math.abs(nowS - Number(timestamp)) > TIMESTAMP_TOLERANCE_S)
    return new Refusal(
      401,
      `Timestamp expired: Given timestamp (${timestamp}) not within ${TIMESTAMP_TOLERANCE_S}s of server time (${nowS})`,
    );

  const signature = parameters.get('auth_signature')!;
  const { method, path, query } = request;
  for (const reading of readings) {
    const read = queryParameters(query, reading) ?? parameters;
    for (const signedPath of [path, decoded(path)]) {
      if (isSameText(signature, sign(app.secret, requestText(method, signedPath, read)))) return read;
    }
  }
  const expected = requestText(method, path, parameters).slice(0, 1_000);
  return new Refusal(
    401,
    `Invalid signature: you should have sent HmacSHA256Hex(${JSON.stringify(expected)}, your_secret_key)`,
  );
}

/** Undefined when the body is the one that was signed. */
export function bodyFault(parameters: Parameters, body: Uint8Array): Refusal | undefined {
  const md5 = parameters.get('body_md5');
  if (md5 === undefined)
    return body.length === 0 ? undefined : new Refusal(401, 'Authentication parameter missing: body_md5');
  return isSameText(md5, bodyMd5(body)) ? undefined : new Refusal(401, 'Invalid body_md5: it is not that of the body');
}

/** Undefined when a key stands there twice: which of them was meant is not ours to guess. */
function queryParameters(query: string, read: (text: string) => string): Parameters | undefined {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [key, value] = split(pair, '=');
    const name = read(key).toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, read(value));
  }
  return parameters;
}
