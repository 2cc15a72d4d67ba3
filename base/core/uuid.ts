import { toHex } from '../../protocol/octets.js';
import type { Random } from './random.js';

const UUID_OCTETS = 16;

/** A random UUID (RFC 9562, version 4). */
export function uuid(random: Random): string {
  const octets = Uint8Array.from(random.octets(UUID_OCTETS));
  octets[6] = (octets[6]! & 0x0f) | 0x40;
  octets[8] = (octets[8]! & 0x3f) | 0x80;
  return toHex(octets).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
