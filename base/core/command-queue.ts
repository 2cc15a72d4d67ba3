import type { Clock, Timer } from './clock.js';
import type { Delivery, DeliveryResult } from './delivery.js';

/** Commands that wait for one unit (reference/limits.md, "Kept session"); the newest is refused past it. */
export const MAX_WAITING = 100;
/** A dialect that has not settled a delivery so long after its last allowed moment never will. */
const GRACE_MS = 30_000;

interface Waiting {
  readonly delivery: Delivery;
  readonly settle: (result: DeliveryResult) => void;
  readonly expiry: Timer;
}

/** The commands of one unit: delivered one at a time in the order of acceptance, never after their deadline. */
export class CommandQueue {
  readonly #clock: Clock;
  readonly #deliver: (delivery: Delivery) => Promise<DeliveryResult>;
  readonly #waiting: Waiting[] = [];
  #isBusy = false;
  #isStopped = false;

  constructor(clock: Clock, deliver: (delivery: Delivery) => Promise<DeliveryResult>) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** Commands not yet begun. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Resolves with how it ended. Never rejects. */
  push(delivery: Delivery): Promise<DeliveryResult> {
    if (this.#isStopped) return Promise.resolve(stopped);
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.resolve({ outcome: 'refused', reason: `${MAX_WAITING} commands wait for this unit already` });
    }
    return new Promise((settle) => {
      const expiry = this.#clock.after(delivery.deadline - this.#clock.monotonic(), () => this.#expire(item));
      const item: Waiting = { delivery, settle, expiry };
      this.#waiting.push(item);
      void this.#work();
    });
  }

  /** Everything that waits ends; what is under way is the dialect's to end. */
  stop(): void {
    this.#isStopped = true;
    for (const { expiry, settle } of this.#waiting.splice(0)) {
      expiry.cancel();
      settle(stopped);
    }
  }

  #expire(item: Waiting): void {
    const at = this.#waiting.indexOf(item);
    if (at === -1) return;
    this.#waiting.splice(at, 1);
    item.settle(expired);
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let item = this.#waiting.shift(); item !== undefined; item = this.#waiting.shift()) {
      item.expiry.cancel();
      // A machine that was busy or asleep may come here before the timer does.
      const isLate = item.delivery.deadline <= this.#clock.monotonic();
      item.settle(isLate ? expired : await this.#contained(item.delivery));
    }
    this.#isBusy = false;
  }

  /** Whatever a dialect throws or never resolves ends here. */
  #contained(delivery: Delivery): Promise<DeliveryResult> {
    return new Promise((resolve) => {
      const longest = delivery.deadline - this.#clock.monotonic() + delivery.timeoutMs + GRACE_MS;
      const never = this.#clock.after(longest, () =>
        resolve({ outcome: 'unknown', reason: 'the dialect did not say how it ended' }),
      );
      const settle = (result: DeliveryResult): void => {
        never.cancel();
        resolve(result);
      };
      Promise.resolve()
        .then(() => this.#deliver(delivery))
        .then(settle, (error: Error) => settle({ outcome: 'unknown', reason: `the dialect failed: ${error.message}` }));
    });
  }
}

const expired: DeliveryResult = {
  outcome: 'expired',
  reason: 'it waited behind other commands until its time was over',
};
const stopped: DeliveryResult = { outcome: 'unreachable', reason: 'the base is stopping' };
