import { LinkError, TimeoutError } from '../../../protocol/errors.js';
import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import type { Clock } from '../../core/clock.js';
import { type Deferred, deferred } from '../../core/deferred.js';

const TRACKING_NUMBERS = 0x1_0000;

/** What a unit answered a request of ours with. */
export interface UnitResponse {
  readonly code: number;
  readonly payload: PayloadBlock;
}

/** Our requests to one unit that are not answered yet, by tracking number. How many is the callers' bound: one command and one describe. */
export class OwnRequests {
  readonly #clock: Clock;
  readonly #answers = new Map<number, Deferred<UnitResponse>>();
  #tracking: number;

  /** The first number is drawn, so that an answer from an earlier session fits nothing. */
  constructor(clock: Clock, firstTracking: number) {
    this.#clock = clock;
    this.#tracking = firstTracking;
  }

  get size(): number {
    return this.#answers.size;
  }

  /** Sends with a free tracking number. Rejects with TimeoutError `command-timeout`, or with LinkError when the link is lost. */
  async ask(timeoutMs: number, send: (tracking: number) => void): Promise<UnitResponse> {
    const tracking = this.#free();
    const answer = deferred<UnitResponse>();
    this.#answers.set(tracking, answer);
    const late = this.#clock.after(timeoutMs, () =>
      answer.reject(new TimeoutError('command-timeout', `no answer within ${timeoutMs / 1_000} s`)),
    );
    try {
      send(tracking);
      return await answer.promise;
    } finally {
      late.cancel();
      this.#answers.delete(tracking);
    }
  }

  /** Whether somebody waits for the answer with this number. */
  expects(tracking: number): boolean {
    return this.#answers.has(tracking);
  }

  /** An answer that nobody waits for (any more) is dropped. */
  answered(tracking: number, code: number, payload: PayloadBlock): void {
    this.#answers.get(tracking)?.resolve({ code, payload: { ...payload, data: payload.data.slice() } });
  }

  /** The link is lost; nothing will be answered. */
  lost(error: Error): void {
    const lost = error instanceof LinkError ? error : new LinkError('link-lost', error.message, { cause: error });
    for (const answer of this.#answers.values()) answer.reject(lost);
  }

  #free(): number {
    do this.#tracking = (this.#tracking + 1) % TRACKING_NUMBERS;
    while (this.#answers.has(this.#tracking));
    return this.#tracking;
  }
}
