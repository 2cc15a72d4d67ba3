import { TimeoutError } from '../../protocol/errors.js';
import type { ClientClock } from '../connection/client-clock.js';

/** Requests without an answer: a quarter of all tracking numbers, so that a free one is always near. */
export const MAX_IN_FLIGHT = 16_384;
/** Numbers whose time is over and whose answer may still come: they are not used again before that, or before so many others. */
export const MAX_LATE = 32_768;
const NUMBERS = 0x1_0000;

/** Who waits for an answer. */
interface Waiting<Answer> {
  readonly uid: string;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly timer: { cancel(): void };
  isSent: boolean;
}

/**
 * Requests under way, by tracking number. A number is in flight once over all objects: concentrators there are that know
 * requests by the number alone. A late answer never matches a newer request.
 */
export class RequestTable<Answer> {
  readonly #clock: ClientClock;
  readonly #waiting = new Map<number, Waiting<Answer>>();
  readonly #late = new Set<number>();
  #next: number;

  constructor(options: { readonly clock: ClientClock; readonly firstNumber: number }) {
    this.#clock = options.clock;
    this.#next = options.firstNumber % NUMBERS;
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Takes a number for a request; `answer` rejects with what it is abandoned with, or with TimeoutError `command-timeout`.
   * At most {@link MAX_IN_FLIGHT} may be in flight.
   */
  add(uid: string, timeoutMs: number): { readonly tracking: number; readonly answer: Promise<Answer> } {
    const tracking = this.#free();
    const answer = new Promise<Answer>((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => this.#expired(tracking, timeoutMs));
      this.#waiting.set(tracking, { uid, resolve, reject, timer, isSent: false });
    });
    return { tracking, answer };
  }

  /** True when it still waits: now it is sent. */
  sent(tracking: number): boolean {
    const waiting = this.#waiting.get(tracking);
    if (waiting === undefined) return false;
    waiting.isSent = true;
    return true;
  }

  /** False for an answer that nobody waits for: late, unasked, or of another object. */
  answered(uid: string, tracking: number, answer: Answer): boolean {
    const waiting = this.#waiting.get(tracking);
    if (waiting === undefined || waiting.uid !== uid || !waiting.isSent) {
      this.#late.delete(tracking);
      return false;
    }
    this.#end(tracking, waiting);
    waiting.resolve(answer);
    return true;
  }

  /** Ends those that were not sent, or all, with this error. */
  abandon(which: 'unsent' | 'all', error: Error): void {
    for (const [tracking, waiting] of this.#waiting) {
      if (which === 'unsent' && waiting.isSent) continue;
      this.#end(tracking, waiting);
      if (waiting.isSent) this.#isLate(tracking);
      waiting.reject(error);
    }
  }

  #expired(tracking: number, timeoutMs: number): void {
    const waiting = this.#waiting.get(tracking)!;
    this.#end(tracking, waiting);
    if (waiting.isSent) this.#isLate(tracking);
    waiting.reject(new TimeoutError('command-timeout', `no answer came within ${timeoutMs} ms`));
  }

  #end(tracking: number, waiting: Waiting<Answer>): void {
    waiting.timer.cancel();
    this.#waiting.delete(tracking);
  }

  #isLate(tracking: number): void {
    this.#late.add(tracking);
    if (this.#late.size <= MAX_LATE) return;
    for (const oldest of this.#late) {
      this.#late.delete(oldest);
      return;
    }
  }

  #free(): number {
    for (;;) {
      const number = this.#next;
      this.#next = (number + 1) % NUMBERS;
      if (!this.#waiting.has(number) && !this.#late.has(number)) return number;
    }
  }
}
