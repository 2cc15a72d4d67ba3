/** Over how long a rate is taken, in seconds: long enough for a unit that speaks every few seconds. */
export const RATE_WINDOW_S = 10;

/** How many of something there were a second, over the last ten: one counter for each second. A typed array takes 300 octets more. */
export class SlidingRate {
  /** Monotonic ms of the beginning of what is counted: what is younger than the window is divided by its age. */
  readonly #since: number;
  readonly #counts: number[] = new Array(RATE_WINDOW_S).fill(0);
  #second: number;

  /** `ageMs`: how long there was already nothing of it to count. */
  constructor(nowMs: number, ageMs = 0) {
    this.#second = Math.floor(nowMs / 1_000);
    this.#since = nowMs - ageMs;
  }

  add(nowMs: number, count = 1): void {
    this.#turnTo(Math.floor(nowMs / 1_000));
    this.#counts[this.#second % RATE_WINDOW_S]! += count;
  }

  /** Of the last seconds, the one under way among them; 0 at the beginning. */
  perSecond(nowMs: number): number {
    this.#turnTo(Math.floor(nowMs / 1_000));
    const counted = this.#counts.reduce((sum, count) => sum + count, 0);
    // The seconds before this one are whole; of this one only a part is over.
    const windowMs = (RATE_WINDOW_S - 1) * 1_000 + (nowMs % 1_000);
    const coveredMs = Math.min(windowMs, nowMs - this.#since);
    return coveredMs <= 0 ? counted : counted / Math.max(1, coveredMs / 1_000);
  }

  #turnTo(second: number): void {
    const passed = Math.min(RATE_WINDOW_S, second - this.#second);
    for (let step = 1; step <= passed; step += 1) this.#counts[(this.#second + step) % RATE_WINDOW_S] = 0;
    if (second > this.#second) this.#second = second;
  }
}
