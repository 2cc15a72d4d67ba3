import { createHmac } from 'node:crypto';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';

/** HMAC as it is, and randomness that is handed out in order: each octet drawn is one more than the one before. */
export function countingCrypto(first: number): SessionCrypto {
  let next = first;
  return {
    hmac: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
    random: (count) => Uint8Array.from({ length: count }, () => next++ & 0xff),
  };
}
