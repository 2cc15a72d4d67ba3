import { encodeTransmission, type PayloadBlock, type Transmission } from '../../../protocol/iotsocket/transmission.js';
import type { PeerKey } from './peer.js';

/** Octets by which a transmission grows with a UID. */
export const UID_OCTETS = 16;

/** An object's transmission as the central gets it: with its UID. */
export function writeWithUid(
  to: Buffer,
  out: number,
  first: number,
  key: PeerKey,
  octets: Buffer,
  at: number,
  length: number,
): void {
  to[out] = first;
  to.write(key, out + 1, UID_OCTETS, 'latin1');
  octets.copy(to, out + 1 + UID_OCTETS, at + 1, at + length);
}

/** A payload block; its data is a view. */
export function blockViewAt(octets: Buffer, at: number, end: number): PayloadBlock {
  return { format: octets[at]! >> 4, options: octets[at]! & 0x0f, data: octets.subarray(at + 3, end) };
}

/** A payload block; its data is a copy. */
export function blockCopyAt(octets: Buffer, at: number, end: number): PayloadBlock {
  return { format: octets[at]! >> 4, options: octets[at]! & 0x0f, data: Uint8Array.from(octets.subarray(at + 3, end)) };
}

export function encodeToBuffer(transmission: Transmission): Buffer {
  const octets = encodeTransmission(transmission);
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length);
}

export const u16At = (octets: Buffer, at: number): number => (octets[at]! << 8) | octets[at + 1]!;
