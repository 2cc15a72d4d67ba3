import type { Clock, Timer } from '../core/clock.js';

export interface LivenessOptions {
  readonly clock: Clock;
  /** Silence after which the peer is asked. */
  readonly activityTimeoutMs: number;
  /** Silence after having been asked, after which the peer is given up. */
  readonly pongTimeoutMs: number;
  /** Time without anything but pings, after which a peer that wants nothing is sent away. */
  readonly idleTimeoutMs: number;
  /** Does the peer want something: is it subscribed to a channel, or signed in? */
  readonly isWanted: () => boolean;
  readonly ask: () => void;
  readonly giveUp: (code: 4201 | 4202) => void;
}

/** Watches one peer's silence, with one timer. */
export class Liveness {
  readonly #options: LivenessOptions;
  #heardAt = 0;
  #usedAt = 0;
  /** Asked, and nothing heard since. */
  #isAwaiting = false;
  #timer: Timer | undefined;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  start(): void {
    this.#heardAt = this.#usedAt = this.#options.clock.monotonic();
    this.#wait(this.#options.activityTimeoutMs, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Anything at all came from the peer. */
  heard(): void {
    this.#isAwaiting = false;
    this.#heardAt = this.#options.clock.monotonic();
  }

  /** Something other than a ping or pong came. */
  used(): void {
    this.#usedAt = this.#options.clock.monotonic();
  }

  #check(): void {
    const { clock, activityTimeoutMs, pongTimeoutMs, idleTimeoutMs, isWanted, ask, giveUp } = this.#options;
    const now = clock.monotonic();
    if (isWanted()) this.#usedAt = now;
    const left = this.#heardAt + activityTimeoutMs - now;
    if (now - this.#usedAt >= idleTimeoutMs) giveUp(4202);
    else if (left > 0) this.#wait(left, () => this.#check());
    else {
      this.#isAwaiting = true;
      this.#wait(pongTimeoutMs, () => (this.#isAwaiting ? giveUp(4201) : this.#check()));
      ask();
    }
  }

  #wait(delayMs: number, call: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, call);
  }
}
