import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Hexadecimal HMAC-SHA256, as every signature of the protocol is. */
export function sign(secret: string, text: string | Uint8Array): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

/** Equal, in a time that tells nothing about where they differ. */
export function isSameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What an `auth` string signs for a channel; presence channels add the `channel_data` exactly as received. */
export function channelText(socketId: string, channel: string, channelData?: string): string {
  return channelData === undefined ? `${socketId}:${channel}` : `${socketId}:${channel}:${channelData}`;
}

/** What an `auth` string signs for a user's sign-in. */
export function userText(socketId: string, userData: string): string {
  return `${socketId}::user::${userData}`;
}

/** Undefined when `auth` is `KEY:signature` of that text, otherwise what is wrong with it. */
export function authFault(
  app: { readonly key: string; readonly secret: string },
  auth: unknown,
  text: string,
): string | undefined {
  if (typeof auth !== 'string' || auth === '') return 'Auth value missing: expected "<app key>:<signature>"';
  const colon = auth.indexOf(':');
  if (colon < 0) return 'Invalid auth value: expected "<app key>:<signature>"';
  if (!isSameText(auth.slice(0, colon), app.key))
    return `Invalid key in auth value: '${excerpt(auth.slice(0, colon))}'`;
  if (isSameText(auth.slice(colon + 1), sign(app.secret, text))) return undefined;
  return `Invalid signature: Expected HMAC SHA256 hex digest of ${excerpt(text)}, but got ${excerpt(auth.slice(colon + 1))}`;
}

/** The `key=value` pairs of a request, sorted by key, joined; values not encoded. */
export function requestText(method: string, path: string, parameters: ReadonlyMap<string, string>): string {
  const pairs = [...parameters]
    .filter(([key]) => key !== 'auth_signature')
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => `${key}=${value}`);
  return `${method}\n${path}\n${pairs.join('&')}`;
}

export function bodyMd5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex');
}

/** A peer's text in an answer to that peer: long enough to find the mistake, never a frame of its own. */
const MAX_EXCERPT = 400;

function excerpt(text: string): string {
  return text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text;
}
