import { createHmac, randomBytes } from 'node:crypto';
import type { SessionCrypto } from '../protocol/iotsocket/proof.js';
import type { Clock } from './core/clock.js';
import type { Random } from './core/random.js';

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** The machine's randomness. */
export const systemRandom: Random = {
  octets: (count) => new Uint8Array(randomBytes(count)),
  fraction: () => Math.random(),
};

/** Session proofs by node:crypto. */
export const nodeCrypto = (random: Random): SessionCrypto => ({
  hmac: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
  random: (count) => random.octets(count),
});
