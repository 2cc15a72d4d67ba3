import { ProtocolError } from '../errors.js';
import { concat } from '../octets.js';
import { decodeCobs, encodeCobs } from './cobs.js';
import { crc16 } from './crc16.js';

/**
 * A frame of the serial line (wire/unit.md, "Serial"):
 *
 *     COBS( chunk, 0 to 240 octets | CRC-16/CCITT-FALSE of the chunk, high octet first ) | 00
 *
 * The chunks joined are the stream. The empty chunk, `03 ff ff 00`, is a reset: both sides forget the session.
 */

export const MAX_CHUNK_OCTETS = 240;
const CRC_OCTETS = 2;
/** COBS adds one octet to so few. The `00` at the end is not counted. */
export const MAX_ENCODED_OCTETS = MAX_CHUNK_OCTETS + CRC_OCTETS + 1;

const END = Uint8Array.of(0);

/** Throws RangeError for a chunk of more than 240 octets. */
export function encodeFrame(chunk: Uint8Array): Uint8Array {
  if (chunk.length > MAX_CHUNK_OCTETS) throw new RangeError(`a chunk of ${chunk.length} octets fits no frame`);
  const crc = crc16(chunk);
  return concat(encodeCobs(concat(chunk, Uint8Array.of(crc >> 8, crc & 0xff))), END);
}

export const RESET_FRAME = encodeFrame(new Uint8Array(0));

/** Octets of a stream in as few frames as hold them; none for no octets, since an empty chunk is a reset. */
export function encodeFrames(octets: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < octets.length; at += MAX_CHUNK_OCTETS)
    frames.push(encodeFrame(octets.subarray(at, at + MAX_CHUNK_OCTETS)));
  return concat(...frames);
}

/** What a frame came to. */
export type DecodedFrame =
  | { readonly kind: 'chunk'; readonly octets: Uint8Array }
  | { readonly kind: 'reset' }
  | { readonly kind: 'bad'; readonly error: ProtocolError };

/** Decodes a frame whose `00` is taken off. The chunk's octets are the receiver's to keep. */
export function decodeFrame(encoded: Uint8Array): DecodedFrame {
  if (encoded.length > MAX_ENCODED_OCTETS) return frameTooLong();
  const octets = decodeCobs(encoded);
  if (octets === undefined || octets.length < CRC_OCTETS)
    return bad('frame-malformed', 'octets on the serial line are no frame');
  const end = octets.length - CRC_OCTETS;
  const chunk = octets.subarray(0, end);
  if (crc16(chunk) !== ((octets[end]! << 8) | octets[end + 1]!))
    return bad('frame-malformed', 'a frame on the serial line has a wrong checksum');
  return chunk.length === 0 ? { kind: 'reset' } : { kind: 'chunk', octets: chunk };
}

const bad = (code: 'frame-malformed' | 'frame-too-long', what: string): DecodedFrame => ({
  kind: 'bad',
  error: new ProtocolError(code, what),
});

export const frameTooLong = (): DecodedFrame =>
  bad('frame-too-long', `more than ${MAX_ENCODED_OCTETS} octets on the serial line without the end of a frame`);
