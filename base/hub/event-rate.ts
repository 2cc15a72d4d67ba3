import type { Clock } from '../core/clock.js';

const SECOND_MS = 1000;

/** Allows so many events within any one second, exactly: it remembers when the last ones were. */
export class EventRate {
  readonly #clock: Clock;
  readonly #perSecond: number;
  /** Times of the last allowed events, oldest first; at most `perSecond`. */
  readonly #times: number[] = [];

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** True, and counted, when one more is allowed now. */
  allows(): boolean {
    const now = this.#clock.monotonic();
    while (this.#times[0] !== undefined && now - this.#times[0] >= SECOND_MS) this.#times.shift();
    if (this.#times.length >= this.#perSecond) return false;
    this.#times.push(now);
    return true;
  }
}
