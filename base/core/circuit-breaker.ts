/** Failures in a row after which a receiver is left alone (reference/limits.md, Webhook). */
export const FAILURES_TO_OPEN = 5;
/** While it is left alone, one attempt in that time. */
export const PROBE_EVERY_MS = 60_000;

/** Leaves a receiver alone that keeps failing, but for a probe. Times are ms of `Clock.monotonic`. */
export class CircuitBreaker {
  #failures = 0;
  #probeAt = Number.NEGATIVE_INFINITY;
  #failingSince: number | undefined;

  /** `failingSince`: as an earlier run knew it. */
  constructor(failingSince?: number) {
    this.#failingSince = failingSince;
  }

  /** Closed: all may be sent. Open: one probe at a time, from `probeAt` on. */
  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN;
  }

  get probeAt(): number {
    return this.#probeAt;
  }

  /** Since when nothing got through; undefined when the last attempt did. */
  get failingSince(): number | undefined {
    return this.#failingSince;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#failingSince = undefined;
  }

  failed(now: number): void {
    this.#failures += 1;
    this.#failingSince ??= now;
    this.#probeAt = now + PROBE_EVERY_MS;
  }
}
