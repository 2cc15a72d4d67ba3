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

/** Fetched at once, since most of what a few octets cost is the asking. */
const POOL_OCTETS = 4_096;
let pool = Buffer.alloc(0);
let used = 0;

function pooledOctets(count: number): Uint8Array {
  if (count > POOL_OCTETS / 16) return new Uint8Array(randomBytes(count));
  if (used + count > pool.length) {
    pool = randomBytes(POOL_OCTETS);
    used = 0;
  }
  const octets = new Uint8Array(count);
  octets.set(pool.subarray(used, used + count));
  // Nobody finds a key here that has been given out.
  pool.fill(0, used, used + count);
  used += count;
  return octets;
}

/** The machine's randomness. */
export const systemRandom: Random = {
  octets: pooledOctets,
  fraction: () => Math.random(),
};

/** Session proofs by node:crypto. */
export const nodeCrypto = (random: Random): SessionCrypto => ({
  hmac: (key, message) => new Uint8Array(createHmac('sha256', key).update(message).digest()),
  random: (count) => random.octets(count),
});
