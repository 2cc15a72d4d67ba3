import type { Clock, Timer } from '../core/clock.js';

/** Holds back the news that something left, and forgets it when that returns in time. */
export class LeaveDelay {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #maxPending: number;
  /** By what left; the one waiting longest first. */
  readonly #pending = new Map<string, { readonly timer: Timer; readonly tell: () => void }>();

  constructor(clock: Clock, delayMs: number, maxPending: number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#maxPending = maxPending;
  }

  /** Calls `tell` after the delay unless `returned` comes first; earlier when too many are waiting. */
  left(what: string, tell: () => void): void {
    for (const oldest of this.#pending.keys()) {
      if (this.#pending.size < this.#maxPending) break;
      this.#tell(oldest);
    }
    this.#pending.set(what, { timer: this.#clock.after(this.#delayMs, () => this.#tell(what)), tell });
  }

  /** True when its leaving had not been told yet; then it never will be. */
  returned(what: string): boolean {
    this.#pending.get(what)?.timer.cancel();
    return this.#pending.delete(what);
  }

  stop(): void {
    for (const { timer } of this.#pending.values()) timer.cancel();
    this.#pending.clear();
  }

  #tell(what: string): void {
    const pending = this.#pending.get(what);
    if (pending === undefined) return;
    this.returned(what);
    pending.tell();
  }
}
