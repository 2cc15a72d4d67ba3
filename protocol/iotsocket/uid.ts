import { concat } from '../octets.js';

export const UID_OCTETS = 16;
export const KEY_OCTETS = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A UID or group name as it travels: 16 octets of UTF-8, padded on the left with `00` (wire/iotsocket.md). Longer: RangeError. */
export function encodeUid(uid: string): Uint8Array {
  const octets = encoder.encode(uid);
  if (octets.length > UID_OCTETS)
    throw new RangeError(`a UID has at most ${UID_OCTETS} octets, ${JSON.stringify(uid)} has ${octets.length}`);
  return concat(new Uint8Array(UID_OCTETS - octets.length), octets);
}

/** The UID in 16 octets; empty for the central's sixteen `00`; `undefined` when it is no UTF-8 or has a `00` inside. */
export function decodeUid(octets: Uint8Array): string | undefined {
  const start = octets.findIndex((octet) => octet !== 0);
  if (start === -1) return '';
  if (octets.includes(0, start)) return undefined;
  try {
    return decoder.decode(octets.subarray(start));
  } catch {
    return undefined;
  }
}
