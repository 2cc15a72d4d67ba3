import { type PayloadBlock, payloadFormats } from '../../../protocol/iotsocket/transmission.js';

/** The longest reason in an answer with return code `01` (wire/unit.md, "Messages"). */
const MAX_REASON_OCTETS = 80;

/** Why something was refused, as a payload: UTF-8, cut at a character's end to 80 octets. */
export function reasonPayload(reason: string): PayloadBlock {
  const octets = new Uint8Array(MAX_REASON_OCTETS);
  const { written } = new TextEncoder().encodeInto(reason, octets);
  return { format: payloadFormats.utf8, options: 0, data: octets.subarray(0, written) };
}
