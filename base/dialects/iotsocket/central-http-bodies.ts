import { KEY_OCTETS, UID_OCTETS } from '../../../protocol/iotsocket/uid.js';
import type { AccessEntry } from './access-entry.js';
import { blockOfBody, type HttpBody } from './http-payload.js';
import type { OwnRequest } from './own-request.js';

/** `fault` is a sentence without its end that says where, what, and what would be right. */
export type BodyResult<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: string };

export interface RequestTimes {
  readonly defaultMs: number;
  /** A longer one is cut to this. */
  readonly maxMs: number;
}

/** The body of `POST /request`: `{"UID","Payload","Format","Timeout"?}`, the time-out in seconds. Members it does not know are ignored. */
export function requestOfBody(body: HttpBody | undefined, times: RequestTimes): BodyResult<Omit<OwnRequest, 'signal'>> {
  if (body === undefined) return refuse('the body must be an object {"UID", "Payload", "Format", "Timeout"?}');
  const { UID, Timeout } = body.value;
  const fault = nameFault('UID', UID);
  if (fault !== undefined) return refuse(fault);
  if (Timeout !== undefined && !(typeof Timeout === 'number' && Timeout > 0))
    return refuse('Timeout must be a number of seconds above 0');
  const payload = blockOfBody(body);
  if (!payload.ok) return refuse(payload.what);
  const askedMs = Timeout === undefined ? times.defaultMs : Math.ceil(Timeout * 1_000);
  const timeoutMs = Math.min(askedMs, times.maxMs);
  return { ok: true, value: { uid: UID as string, payload: payload.block, timeoutMs } };
}

/** The body of `POST /acl`: `[{"GroupName","UID","AuthKey"}…]`, the key in hex. Whether the groups exist is not asked here. */
export function accessListOfBody(value: unknown): BodyResult<readonly AccessEntry[]> {
  if (!Array.isArray(value)) return refuse('the body must be an array of {"GroupName", "UID", "AuthKey"}');
  const entries: AccessEntry[] = [];
  for (const [index, each] of value.entries()) {
    const entry = Object(each) as Record<string, unknown>;
    const fault =
      nameFault('GroupName', entry.GroupName) ?? nameFault('UID', entry.UID) ?? keyFault('AuthKey', entry.AuthKey);
    if (fault !== undefined) return refuse(`entry ${index + 1}: ${fault}`);
    const key = new Uint8Array(Buffer.from(entry.AuthKey as string, 'hex'));
    entries.push({ group: entry.GroupName as string, uid: entry.UID as string, key });
  }
  return { ok: true, value: entries };
}

/** A UID or group name, as it fits into its 16 octets on the wire. */
function nameFault(name: string, value: unknown): string | undefined {
  if (value === undefined) return `${name} is missing`;
  if (typeof value !== 'string' || value === '') return `${name} must be a text that is not empty`;
  const octets = Buffer.byteLength(value);
  if (octets > UID_OCTETS) return `${name} has ${octets} octets; at most ${UID_OCTETS} fit`;
  if (value.includes('\0') || /\p{Surrogate}/u.test(value)) return `${name} must be well-formed text without U+0000`;
  return undefined;
}

function keyFault(name: string, value: unknown): string | undefined {
  if (value === undefined) return `${name} is missing`;
  const isKey = typeof value === 'string' && value.length === 2 * KEY_OCTETS && /^[0-9a-f]*$/i.test(value);
  return isKey ? undefined : `${name} must be ${2 * KEY_OCTETS} hexadecimal digits`;
}

const refuse = (fault: string) => ({ ok: false, fault }) as const;
