import { randomBytes } from 'node:crypto';
import type { Clock } from '../../../../base/core/clock.js';
import type { Random } from '../../../../base/core/random.js';

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

export const realRandom: Random = {
  octets: (count) => new Uint8Array(randomBytes(count)),
  fraction: () => Math.random(),
};

/** Rejects when the promise takes longer; a test that waits for what never comes says what it waited for. */
export async function within<T>(what: string, promise: Promise<T>, ms = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
