import type { Clock } from '../core/clock.js';

export interface CachedEvent {
  readonly event: string;
  readonly data: string;
}

/** The last event of each cache channel, for as long as it may be given to newcomers. */
export class EventCache {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  /** By channel; the one written longest ago first. */
  readonly #entries = new Map<string, CachedEvent & { readonly expiresAt: number }>();

  constructor(clock: Clock, ttlMs: number, maxEntries: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  put(channel: string, event: CachedEvent): void {
    this.#entries.delete(channel);
    this.#forgetExpired();
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#maxEntries) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(channel, { ...event, expiresAt: this.#clock.monotonic() + this.#ttlMs });
  }

  /** With what is left of its life, in ms. */
  get(channel: string): (CachedEvent & { readonly leftMs: number }) | undefined {
    this.#forgetExpired();
    const entry = this.#entries.get(channel);
    if (entry === undefined) return undefined;
    return { event: entry.event, data: entry.data, leftMs: entry.expiresAt - this.#clock.monotonic() };
  }

  #forgetExpired(): void {
    const now = this.#clock.monotonic();
    for (const [channel, entry] of this.#entries) {
      if (entry.expiresAt > now) return;
      this.#entries.delete(channel);
    }
  }
}
