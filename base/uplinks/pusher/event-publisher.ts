import { delay } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { backOff } from '../../links/back-off.js';
import { fitEvent } from './event-size.js';
import { type EventTarget, triggerEvent } from './trigger-event.js';

/** Events that wait for the server. Past it the oldest is dropped, counted and said: the channel is a live stream. */
export const MAX_QUEUED = 1_000;
/** Attempts for one event; with the back-off half a minute, after which a live event is stale. */
export const MAX_ATTEMPTS = 5;

/** How long `stop` goes on with what waits, where nothing else is said. */
export const STOP_GRACE_MS = 2_000;

export interface EventPublisherOptions extends EventTarget {
  /** Default 2 s. */
  readonly stopGraceMs?: number | undefined;
  readonly random: Random;
  readonly log: Log;
}

interface QueuedEvent {
  readonly name: string;
  readonly data: object;
}

/** Publishes live events through the server's HTTP API, one at a time and in order. */
export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #say: TroubleLog;
  /** Ends a retry's wait. */
  readonly #stopping = new AbortController();
  /** Ends an attempt. */
  readonly #abort = new AbortController();
  readonly #queue: QueuedEvent[] = [];
  #isWorking = false;
  #working: Promise<void> | undefined;
  #dropped = 0;

  constructor(options: EventPublisherOptions) {
    this.#options = options;
    this.#say = new TroubleLog(options.log);
  }

  /** Events that never got to the server. */
  get dropped(): number {
    return this.#dropped;
  }

  publish(name: string, data: object): void {
    if (this.#stopping.signal.aborted) return;
    const fitting = fitEvent(this.#options.channel, data);
    if (fitting === undefined) {
      this.#drop('too long', { event: name }, 'an event is too long for the channel, dropped');
      return;
    }
    if (this.#queue.length >= MAX_QUEUED) {
      this.#queue.shift();
      this.#drop(
        'queue',
        { bound: MAX_QUEUED },
        'events come faster than the server takes them, the oldest is dropped',
      );
    }
    this.#queue.push({ name, data: fitting });
    if (!this.#isWorking) this.#working = this.#work();
  }

  /** Sends what waits, within its grace and until something fails; the rest is forgotten. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const { clock, stopGraceMs = STOP_GRACE_MS } = this.#options;
    const grace = clock.after(stopGraceMs, () => this.#giveUp());
    await this.#working;
    grace.cancel();
    this.#giveUp();
  }

  #giveUp(): void {
    this.#abort.abort();
    this.#queue.length = 0;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) await this.#deliver(event);
    this.#isWorking = false;
  }

  async #deliver(event: QueuedEvent): Promise<void> {
    const { clock, random } = this.#options;
    const delays = backOff(random);
    const { signal } = this.#abort;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const failure = await triggerEvent(this.#options, event.name, event.data, signal);
      if (signal.aborted) return;
      if (failure === undefined) return this.#say.forget('failing');
      const fields = { event: event.name, reason: failure.reason };
      if (failure.isFinal) return this.#drop(failure.reason, fields, 'event refused by the server');
      if (this.#stopping.signal.aborted) return this.#giveUp();
      if (attempt >= MAX_ATTEMPTS)
        return this.#drop('failing', fields, `event not published after ${MAX_ATTEMPTS} attempts, dropped`);
      await delay(clock, delays.next().value, this.#stopping.signal).catch(() => {});
    }
  }

  #drop(kind: string, fields: object, message: string): void {
    this.#dropped += 1;
    this.#say.warn(kind, fields, message);
  }
}
