import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../octets.js';
import type { UnitDefinition } from './define-unit.js';
import { descriptorOf } from './descriptor.js';

export const FINGERPRINT_OCTETS = 8;

/** The first 8 octets of the descriptor's SHA-256, as they travel. */
export function fingerprintOctets(descriptor: string): Uint8Array {
  return sha256(new TextEncoder().encode(descriptor)).slice(0, FINGERPRINT_OCTETS);
}

/** The same as 16 hexadecimal digits, as it is shown. */
export function fingerprintOf(definition: UnitDefinition): string {
  return toHex(fingerprintOctets(descriptorOf(definition)));
}
