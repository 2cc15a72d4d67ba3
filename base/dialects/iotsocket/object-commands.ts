import { blockOf } from '../../../protocol/iotsocket/payload.js';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import type { Clock } from '../../core/clock.js';
import { answered, type Delivery, type DeliveryResult } from '../../core/delivery.js';
import type { AskObject, OwnAnswer } from './own-request.js';
import type { Peer } from './peer.js';

export interface ObjectCommandsOptions {
  readonly find: (uid: string) => Peer | undefined;
  readonly ask: AskObject;
  readonly clock: Clock;
  /** Aborts when the base stops. */
  readonly signal: AbortSignal;
}

/** Commands of the API and of Pusher for objects: requests in the base's own name, sent when the object has a connection. */
export class ObjectCommands {
  readonly #options: ObjectCommandsOptions;
  /** Who waits for a connection of that object: one each, since a unit's commands go one at a time. */
  readonly #waiting = new Map<Peer, (end: WaitEnd) => void>();

  constructor(options: ObjectCommandsOptions) {
    this.#options = options;
  }

  /** The object has a connection. */
  opened(peer: Peer): void {
    this.#waiting.get(peer)?.('connected');
  }

  /** The object is no longer in the access list. */
  removed(peer: Peer): void {
    this.#waiting.get(peer)?.('removed');
  }

  async deliver(uid: string, delivery: Delivery): Promise<DeliveryResult> {
    const { find, ask, signal } = this.#options;
    const peer = find(uid);
    const { payload, isPatient, deadline, timeoutMs } = delivery;
    const result = payload && blockOf(payload);
    if (peer === undefined) return ends.removed;
    if (!result?.ok) return { outcome: 'refused', reason: `the payload ${result?.what ?? 'is missing'}` };
    if (!isPatient && !peer.hasSession) return unreachable('it has no session');
    const end = peer.session === undefined ? await this.#connected(peer, deadline) : 'connected';
    if (end !== 'connected') return ends[end];
    try {
      await delivery.sending(`session ${peer.session?.heard}`);
    } catch (error) {
      return { outcome: 'refused', reason: `the base cannot store it: ${(error as Error).message}` };
    }
    if (signal.aborted) return ends.stopping;
    const answer = await ask({ uid, payload: result.block, timeoutMs, signal });
    return signal.aborted && !isAnswer(answer) ? cutShort : resultOf(answer);
  }

  #connected(peer: Peer, deadline: number): Promise<WaitEnd> {
    const { clock, signal } = this.#options;
    return new Promise((resolve) => {
      const end = (how: WaitEnd): void => {
        late.cancel();
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(peer);
        resolve(how);
      };
      const late = clock.after(Math.max(0, deadline - clock.monotonic()), () => end('late'));
      const abort = (): void => end('stopping');
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) return end('stopping');
      this.#waiting.set(peer, end);
    });
  }
}

/** How the wait for a connection ends. */
type WaitEnd = 'connected' | 'late' | 'removed' | 'stopping';

const unreachable = (reason: string): DeliveryResult => ({ outcome: 'unreachable', reason });

const ends = {
  late: { outcome: 'expired', reason: 'it had no connection until the time was over' },
  removed: unreachable('it is not in the access list'),
  stopping: unreachable('the base is stopping'),
} as const;

/** It may have been sent. */
const cutShort: DeliveryResult = { outcome: 'unknown', reason: 'the base stopped before it answered' };

const isAnswer = ({ code }: OwnAnswer): boolean => code !== returnCodes.noDestination && code !== returnCodes.timeout;

function resultOf({ code, payload }: OwnAnswer): DeliveryResult {
  switch (code) {
    case returnCodes.noDestination:
      return unreachable('it has no session, or does not take so long a request');
    case returnCodes.timeout:
      return { outcome: 'timeout', reason: 'it did not answer in time' };
    default:
      return answered(code, payload);
  }
}
