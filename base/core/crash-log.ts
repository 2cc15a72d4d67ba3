import type { Clock } from './clock.js';
import type { Log } from './log.js';
import { TokenBucket } from './token-bucket.js';
import { isCrash, resetText, type UnitStart } from './unit-start.js';

/** Lines about one unit: one that restarts every few seconds would fill the log. */
const CRASHES_LOGGED = { perSecond: 1 / 600, burst: 5 } as const;

/** Says in the base's log that a unit came up after a watchdog or an exception. */
export class CrashLog {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Of units that did. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** The unit came up so. To be told once of each start. */
  started(unit: string, { boot, resetReason, freeHeap }: UnitStart): void {
    if (resetReason === undefined || !isCrash(resetReason)) return;
    const now = this.#clock.monotonic();
    const bucket = this.#buckets.get(unit) ?? new TokenBucket(CRASHES_LOGGED, now);
    this.#buckets.set(unit, bucket);
    if (!bucket.take(now)) return;
    const fields = { unit, boot, resetReason, ...(freeHeap === undefined ? {} : { freeHeap }) };
    this.#log.warn(fields, `${unit} has restarted: ${resetText(resetReason)}`);
  }

  /** The unit is taken away. */
  forget(unit: string): void {
    this.#buckets.delete(unit);
  }
}
