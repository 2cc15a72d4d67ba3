import type Pusher from 'pusher';
import { RelayError } from '../../../protocol/errors.js';
import { type Clock, delay } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { backOff } from '../../links/back-off.js';
import { readBounded } from '../http-exchange.js';
import { TroubleLog } from '../trouble-log.js';
import { fitEvent } from './event-size.js';

/** Events that wait for the server. Past it the oldest is dropped, counted and said: the channel is a live stream. */
export const MAX_QUEUED = 1_000;
/** Attempts for one event; with the back-off half a minute, after which a live event is stale. */
export const MAX_ATTEMPTS = 5;
/** The library's own time-out ends with the answer's headers; this is for its body too. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface EventPublisherOptions {
  readonly server: Pusher;
  readonly channel: string;
  /** Whom not to tell: our own subscriber. */
  readonly socketId: () => string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface QueuedEvent {
  readonly name: string;
  readonly data: object;
}

/** Publishes events through the server's HTTP API, one at a time and in order. */
export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #say: TroubleLog;
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
    if (this.#abort.signal.aborted) return;
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

  /** Ends a retry's wait at once and an attempt with its own time-out; what still waits is forgotten. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#queue.length = 0;
    await this.#working;
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
      const failure = await this.#attempt(event);
      if (signal.aborted) return;
      if (failure === undefined) return this.#say.forget('failing');
      const fields = { event: event.name, reason: failure.reason };
      if (failure.isFinal) return this.#drop(failure.reason, fields, 'event refused by the server');
      if (attempt >= MAX_ATTEMPTS)
        return this.#drop('failing', fields, `event not published after ${MAX_ATTEMPTS} attempts, dropped`);
      await delay(clock, delays.next().value, signal).catch(() => {});
    }
  }

  async #attempt(event: QueuedEvent): Promise<Failure | undefined> {
    const { server, channel, socketId, clock } = this.#options;
    const except = socketId();
    const ended = new AbortController();
    try {
      const sending = server.trigger(
        channel,
        event.name,
        event.data,
        except === undefined ? {} : { socket_id: except },
      );
      await Promise.race([
        sending.then(checkAnswer),
        delay(clock, ANSWER_TIMEOUT_MS, AbortSignal.any([ended.signal, this.#abort.signal])).then(() => {
          throw new RelayError('uplink-unreachable', `no complete answer within ${ANSWER_TIMEOUT_MS / 1000} s`);
        }),
      ]);
      return undefined;
    } catch (error) {
      return readFailure(error);
    } finally {
      ended.abort(new RelayError('uplink-unreachable', 'over'));
    }
  }

  #drop(kind: string, fields: object, message: string): void {
    this.#dropped += 1;
    this.#say.warn(kind, fields, message);
  }
}

interface Failure {
  readonly reason: string;
  /** It would be refused again. */
  readonly isFinal: boolean;
}

/** soketi answers a refusal with 200 and tells in the body (reference/pusher.md, 2.6). */
async function checkAnswer(response: Awaited<ReturnType<Pusher['trigger']>>): Promise<void> {
  const isRedirected = 'redirected' in response && response.redirected === true;
  const { body } = await readBounded(response.body);
  if (isRedirected) throw new Refusal(0, 'the server redirected the request');
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    // whatever it says, the status was a success
    return;
  }
  const { error, code } = Object(answer) as { error?: unknown; code?: unknown };
  if (error !== undefined && error !== null) throw new Refusal(typeof code === 'number' ? code : 0, String(error));
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Says what went wrong without the request's URL, which is signed. */
function readFailure(error: unknown): Failure {
  const { status, error: cause } = Object(error) as { status?: unknown; error?: { code?: unknown; name?: unknown } };
  if (typeof status === 'number') {
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    const hint = status === 401 || status === 403 ? ': check pusher.appId, pusher.secret and this machine’s clock' : '';
    return {
      reason: peerText(`${error instanceof Refusal ? error.message : `answered ${status}`} (${status})${hint}`),
      isFinal,
    };
  }
  if (error instanceof RelayError) return { reason: error.message, isFinal: false };
  return { reason: peerText(String(cause?.code ?? cause?.name ?? 'no connection')), isFinal: false };
}
