import type { Clock } from '../core/clock.js';

export interface RateLimitOptions {
  readonly clock: Clock;
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a rest. */
  readonly burst: number;
  /** More than these are not told apart: whoever was quiet the longest is forgotten. Default 1 024. */
  readonly maxKeys?: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** An entry takes some 100 octets; 1 024 addresses that fail to log in are no house's. */
const DEFAULT_MAX_KEYS = 1_024;

/** A token bucket for each key. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** 0: go on. Otherwise: refused, and the next may go on in so many ms. */
  take(key: string): number {
    const { clock, perSecond, burst, maxKeys = DEFAULT_MAX_KEYS } = this.#options;
    const now = clock.monotonic();
    const known = this.#buckets.get(key);
    const tokens =
      known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.filledAt) / 1_000) * perSecond);
    const isFree = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: isFree ? tokens - 1 : tokens, filledAt: now });
    if (this.#buckets.size > maxKeys) this.#buckets.delete(this.#buckets.keys().next().value!);
    return isFree ? 0 : Math.ceil(((1 - tokens) / perSecond) * 1_000);
  }

  get size(): number {
    return this.#buckets.size;
  }
}
