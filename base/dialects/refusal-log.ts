import type { Clock } from '../core/clock.js';
import { type Log, peerText } from '../core/log.js';
import { SaidOnce } from '../core/said-once.js';
import { TokenBucket } from '../core/token-bucket.js';

/** Refusals that get a line in the log: strangers choose what is in them. */
const REFUSALS_LOGGED = { perSecond: 1, burst: 20 } as const;

/**
 * Connections that were refused, or something else of strangers that `what` names: each reason of each address has one line,
 * and all of them few in a second.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #what: string;
  readonly #said = new SaidOnce();
  readonly #logged: TokenBucket;
  #count = 0;

  constructor(clock: Clock, log: Log, what = 'a connection was refused') {
    this.#clock = clock;
    this.#log = log;
    this.#what = what;
    this.#logged = new TokenBucket(REFUSALS_LOGGED, clock.monotonic());
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  refused(address: string, why: string): void {
    this.#count += 1;
    if (!this.#said.isNew(address, why) || !this.#logged.take(this.#clock.monotonic())) return;
    this.#log.warn({ address, reason: peerText(why) }, `${this.#what}; said once`);
  }
}
