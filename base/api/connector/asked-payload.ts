import { parseRequestJson } from '../../core/request-json.js';
import { MAX_BODY_DEPTH } from '../api-limits.js';

export type AskedPayload =
  | { readonly ok: true; readonly payload: string }
  /** `detail`: one or two sentences. */
  | { readonly ok: false; readonly detail: string };

const json = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;
/** `curl -d` says this of everything. */
const untold = /^application\/x-www-form-urlencoded\s*(?:;|$)/i;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text for the device in the body of a command or a query: of JSON that is an object with a `payload`, that member, a
 * string; otherwise the body as it is. A body that says nothing of its kind, or what `curl -d` says of any, is looked at
 * too; one of the type `text/…` is not. Refused: what is not UTF-8; what says that it is JSON and is not; a payload that is
 * no string in what says so. Never throws.
 */
export function askedPayload(contentType: string | undefined, body: Uint8Array | undefined): AskedPayload {
  if (body === undefined || body.length === 0) return { ok: true, payload: '' };
  if (!json.test(contentType ?? '')) return unwrapped(contentType, body) ?? rawText(body);
  const parsed = parseRequestJson(body, MAX_BODY_DEPTH);
  if (!parsed.ok) return parsed;
  const { value, text } = parsed;
  const isWrapped = typeof value === 'object' && value !== null && Object.hasOwn(value, 'payload');
  if (!isWrapped) return { ok: true, payload: text };
  const { payload } = value as { readonly payload: unknown };
  return typeof payload === 'string'
    ? { ok: true, payload }
    : { ok: false, detail: 'The member "payload" of the body must be a string.' };
}

/** What the body is in spite of its type; `undefined`: text. */
function unwrapped(contentType: string | undefined, body: Uint8Array): AskedPayload | undefined {
  if (contentType !== undefined && !untold.test(contentType)) return undefined;
  const parsed = parseRequestJson(body, MAX_BODY_DEPTH);
  const value = parsed.ok ? (parsed.value as { readonly payload?: unknown } | null) : undefined;
  return typeof value?.payload === 'string' && Object.hasOwn(value, 'payload')
    ? { ok: true, payload: value.payload }
    : undefined;
}

function rawText(body: Uint8Array): AskedPayload {
  try {
    return { ok: true, payload: decoder.decode(body) };
  } catch {
    return { ok: false, detail: 'The body is not UTF-8.' };
  }
}
