import type Pusher from 'pusher';
import { RelayError } from '../../../protocol/errors.js';
import { type Clock, delay } from '../../core/clock.js';
import { peerText } from '../../core/log.js';
import { readBounded } from '../../links/http-exchange.js';

/** Answers against the event itself. Others of class 4xx are about our key or clock, and would meet every event. */
const EVENT_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);
/** The library's own time-out ends with the answer's headers; this is for its body too. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface EventTarget {
  readonly server: Pusher;
  readonly channel: string;
  /** Whom not to tell: our own subscriber. */
  readonly socketId: () => string | undefined;
  readonly clock: Clock;
}

export interface TriggerFailure {
  readonly reason: string;
  /** It would be refused again now. */
  readonly isFinal: boolean;
  /** It would be refused for ever, and others would not. */
  readonly isOfEvent: boolean;
}

/** Publishes one event through the server's HTTP API, in bounded time. `undefined`: it has it. Never rejects. */
export async function triggerEvent(
  { server, channel, socketId, clock }: EventTarget,
  name: string,
  data: object,
  signal: AbortSignal,
): Promise<TriggerFailure | undefined> {
  const except = socketId();
  const ended = new AbortController();
  try {
    const sending = server.trigger(channel, name, data, except === undefined ? {} : { socket_id: except });
    await Promise.race([
      sending.then(checkAnswer),
      delay(clock, ANSWER_TIMEOUT_MS, AbortSignal.any([ended.signal, signal])).then(() => {
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

/** soketi answers a refusal with 200 and tells in the body (reference/pusher.md, 2.6). */
async function checkAnswer(response: Awaited<ReturnType<Pusher['trigger']>>): Promise<void> {
  const isRedirected = 'redirected' in response && response.redirected === true;
  const { body } = await readBounded(response.body);
  if (isRedirected) throw new Refusal(0, 'the server redirected the request');
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString('utf8'));
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
function readFailure(error: unknown): TriggerFailure {
  const { status, error: cause } = Object(error) as { status?: unknown; error?: { code?: unknown; name?: unknown } };
  if (typeof status === 'number') {
    const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
    const hint = status === 401 || status === 403 ? ': check pusher.appId, pusher.secret and this machine’s clock' : '';
    return {
      reason: peerText(`${error instanceof Refusal ? error.message : `answered ${status}`} (${status})${hint}`),
      isFinal,
      isOfEvent: EVENT_STATUSES.has(status),
    };
  }
  const reason =
    error instanceof RelayError ? error.message : peerText(String(cause?.code ?? cause?.name ?? 'no connection'));
  return { reason, isFinal: false, isOfEvent: false };
}
