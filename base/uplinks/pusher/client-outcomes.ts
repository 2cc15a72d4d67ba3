import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { TroubleLog } from '../../core/trouble-log.js';
import type { OutcomeEvent } from './channel-events.js';
import { fitEvent } from './event-size.js';

/** Servers allow ten client events a second and connection (reference/pusher.md, 1.4); a little slower, for their clock. */
export const SPACING_MS = 125;
/** Outcomes that wait for the pace or the connection. Past it the oldest is dropped, counted and said. */
export const MAX_QUEUED = 1_000;
const CLIENT_OUTCOME = 'client-outcome';

export interface ClientOutcomesOptions {
  readonly channel: string;
  /** False when it cannot be sent now. */
  readonly trigger: (name: string, data: object) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Answers with client events, as long as the app allows them; the protocol acknowledges none. */
export class ClientOutcomes {
  readonly #options: ClientOutcomesOptions;
  readonly #say: TroubleLog;
  readonly #queue: object[] = [];
  #timer: Timer | undefined;
  #isAllowed = true;

  constructor(options: ClientOutcomesOptions) {
    this.#options = options;
    this.#say = new TroubleLog(options.log);
  }

  get isAllowed(): boolean {
    return this.#isAllowed;
  }

  get queued(): number {
    return this.#queue.length;
  }

  answer(outcome: OutcomeEvent): void {
    if (!this.#isAllowed) return;
    const data = fitEvent(this.#options.channel, outcome);
    if (data === undefined) {
      this.#say.warn('too long', { id: outcome.id }, 'an outcome is too long for the channel, dropped');
      return;
    }
    if (this.#queue.length >= MAX_QUEUED) {
      this.#queue.shift();
      this.#say.warn(
        'queue',
        { bound: MAX_QUEUED },
        'outcomes come faster than the channel takes them, the oldest is dropped',
      );
    }
    this.#queue.push(data);
    if (this.#timer === undefined) this.flush();
  }

  /** The channel is there: goes on with what waits. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const [next] = this.#queue;
    if (next === undefined || !this.#options.trigger(CLIENT_OUTCOME, next)) return;
    this.#queue.shift();
    this.#timer = this.#options.clock.after(SPACING_MS, () => this.flush());
  }

  /** The server said 4301: client events are off in the app. */
  refused(reason: string): void {
    if (!this.#isAllowed) return;
    this.#isAllowed = false;
    this.stop();
    this.#options.log.warn(
      { reason },
      'the app allows no client events: outcomes are only in the log from now on; enable them, or configure pusher.appId and pusher.secret',
    );
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#queue.length = 0;
  }
}
