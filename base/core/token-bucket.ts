/** So many a second, with a burst; counts in the time it is told, so it needs no timer. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(options: { readonly perSecond: number; readonly burst: number }, nowMs: number) {
    this.#perSecond = options.perSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#at = nowMs;
  }

  /** True when one more is allowed at this monotonic moment. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Takes one that has come already, on credit if need be; how many ms to wait for the next. */
  spend(nowMs: number): number {
    this.#fill(nowMs);
    this.#tokens -= 1;
    return Math.max(0, (-this.#tokens / this.#perSecond) * 1_000);
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#at) / 1_000) * this.#perSecond);
    this.#at = nowMs;
  }
}
