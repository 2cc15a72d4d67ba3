import type { Clock, Timer } from './core/clock.js';
import type { Log } from './core/log.js';

/** Checks within the time in which one must succeed: one may fail, as over a backup, before the service is started anew. */
const CHECKS_PER_TIME = 3;

export interface WatchdogOptions {
  /** Within which one check must succeed. */
  readonly withinMs: number;
  /** Rejects when the base does not do its work, and when the signal aborts before it is known. */
  readonly check: (signal: AbortSignal) => Promise<void>;
  /** Told after each check that succeeded. */
  readonly isWell: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Says that the base is well for as long as it is: each time after a check that went through it. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #stop = new AbortController();
  #timer: Timer | undefined;
  #isFailing = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#look();
  }

  /** May be called twice. */
  stop(): void {
    this.#timer?.cancel();
    this.#stop.abort();
  }

  async #look(): Promise<void> {
    const { withinMs, check, isWell, clock, log } = this.#options;
    const everyMs = withinMs / CHECKS_PER_TIME;
    const startedAt = clock.monotonic();
    const late = new AbortController();
    const timer = clock.after(everyMs, () => late.abort(new Error('too slow')));
    try {
      await check(AbortSignal.any([late.signal, this.#stop.signal]));
      if (this.#isFailing) log.info({}, 'the base is well again');
      this.#isFailing = false;
      if (!this.#stop.signal.aborted) await isWell();
    } catch (error) {
      this.#isFailing = true;
      if (!this.#stop.signal.aborted)
        log.error({ why: (error as Error).message }, 'the base is not well: its watchdog is not told that it is');
    } finally {
      timer.cancel();
    }
    if (this.#stop.signal.aborted) return;
    const leftMs = startedAt + everyMs - clock.monotonic();
    this.#timer = clock.after(Math.max(0, leftMs), () => void this.#look());
  }
}
