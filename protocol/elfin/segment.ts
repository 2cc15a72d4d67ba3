import { DATA_FIELDS, isData, MAX_CONTROL_OCTETS } from './message.js';

const SEMICOLON = 0x3b;
const LF = 0x0a;
const CR = 0x0d;

/** Of {@link payloadStart}: the segment is no data, but a control message. */
export const NO_DATA = 0;
/** Of {@link payloadStart}: it is data, and its head does not end where it must. */
export const BAD_HEAD = -1;

/**
 * One segment is one message (wire/elfin.md, framing `segment`). Where the payload begins, if it is data: behind its fifth `;`,
 * within `maxOctets`. The payload goes to the end of the segment, whatever is in it.
 */
export function payloadStart(segment: Uint8Array, maxOctets = MAX_CONTROL_OCTETS): number {
  if (!isData(segment, 0, segment.length)) return NO_DATA;
  const last = Math.min(segment.length, maxOctets);
  let semicolons = 1;
  for (let at = 5; at < last; at += 1) {
    if (segment[at] !== SEMICOLON) continue;
    semicolons += 1;
    if (semicolons === DATA_FIELDS) return at + 1;
  }
  return BAD_HEAD;
}

/** Where a control message ends: `\r` and `\n` at its end are no part of it. */
export function controlEnd(segment: Uint8Array): number {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === LF || segment[end - 1] === CR)) end -= 1;
  return end;
}
