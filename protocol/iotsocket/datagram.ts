import { OctetWriter } from '../octets.js';
import type { PayloadBlock } from './transmission.js';

/** Octets of a telemetry token. */
export const TOKEN_OCTETS = 8;
/** Of a payload block's head. */
const BLOCK_HEAD = 3;
/** Of a datagram around its data. */
export const DATAGRAM_HEAD = TOKEN_OCTETS + BLOCK_HEAD;

/**
 * Telemetry of an object, over UDP (wire/iotsocket.md, "Telemetry"). Octets:
 *
 *     0..7    token
 *     8       format:4 options:4
 *     9..10   length:16, big-endian
 *     11..    data, exactly so many octets
 */
export interface Datagram {
  readonly token: Uint8Array;
  readonly payload: PayloadBlock;
}

/** Throws RangeError for a token of another length, or data of more than 65,535 octets. */
export function encodeDatagram({ token, payload }: Datagram): Uint8Array {
  if (token.length !== TOKEN_OCTETS) throw new RangeError(`a token has ${TOKEN_OCTETS} octets, not ${token.length}`);
  const { length } = payload.data;
  if (length > 0xffff) throw new RangeError(`a payload has at most 65535 octets, not ${length}`);
  return new OctetWriter()
    .octets(token)
    .u8((payload.format << 4) | payload.options)
    .u16(length, false)
    .octets(payload.data)
    .finish();
}

/** `undefined` when the length does not add up. Token and data are views into `octets`, not copies. */
export function decodeDatagram(octets: Uint8Array): Datagram | undefined {
  if (octets.length < DATAGRAM_HEAD) return undefined;
  const length = (octets[TOKEN_OCTETS + 1]! << 8) | octets[TOKEN_OCTETS + 2]!;
  if (octets.length !== DATAGRAM_HEAD + length) return undefined;
  const head = octets[TOKEN_OCTETS]!;
  return {
    token: octets.subarray(0, TOKEN_OCTETS),
    payload: { format: head >> 4, options: head & 0x0f, data: octets.subarray(DATAGRAM_HEAD) },
  };
}
