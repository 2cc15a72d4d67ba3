import type { Clock, Timer } from '../../core/clock.js';

/** A client that has begun a message. */
export interface Unfinished {
  /** The message did not come to its end in time. */
  late(): void;
}

/** Bounds how long a message may take from its first octet to its last. One timer for all of them. */
export class UnfinishedMessages {
  readonly #clock: Clock;
  readonly #messageMs: number;
  /** Since when; the oldest first. */
  readonly #since = new Map<Unfinished, number>();
  #timer: Timer | undefined;

  constructor(clock: Clock, messageMs: number) {
    this.#clock = clock;
    this.#messageMs = messageMs;
  }

  /** Its next message has begun now. */
  begin(client: Unfinished): void {
    this.#since.delete(client);
    this.#since.set(client, this.#clock.monotonic());
    if (this.#timer === undefined) this.#check(this.#messageMs);
  }

  /** It is whole, or nobody waits for it any more. May be called twice. */
  end(client: Unfinished): void {
    this.#since.delete(client);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#since.clear();
  }

  #check(inMs: number): void {
    this.#timer = this.#clock.after(inMs, () => {
      this.#timer = undefined;
      const now = this.#clock.monotonic();
      for (const [client, since] of this.#since) {
        if (now - since < this.#messageMs) return this.#check(since + this.#messageMs - now);
        this.#since.delete(client);
        client.late();
      }
    });
  }
}
