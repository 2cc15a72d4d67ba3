import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import type { Clock } from '../../core/clock.js';
import { KEPT, type Waiter } from './in-flight.js';
import type { KeptItem } from './kept-mail.js';
import type { MailRoom } from './mail-room.js';
import type { Outlets } from './outlets.js';
import { emptyAnswer } from './own-request.js';
import type { Peer, PeerKey } from './peer.js';
import type { RelayEvents } from './relay-ports.js';
import type { Direction, RequestTable } from './request-table.js';
import { tickOf } from './ticks.js';

export interface RequestEndsOptions {
  /** Objects by key. */
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  readonly central: Peer | undefined;
  readonly requests: RequestTable;
  readonly mail: MailRoom;
  readonly outlets: Outlets;
  readonly events: Pick<RelayEvents, 'dropped'>;
  readonly clock: Clock;
}

/** How requests end that nobody answers: their time is over, who asked or was asked has gone, or they cannot be delivered. */
export class RequestEnds {
  readonly #options: RequestEndsOptions;

  constructor(options: RequestEndsOptions) {
    this.#options = options;
  }

  timedOut(peer: Peer, direction: Direction, tracking: number, state: number | Waiter, tick: number): void {
    this.#free(peer, direction, tracking, state, tick);
    this.#tell(peer, direction, tracking, state, returnCodes.timeout);
  }

  /** The base does not want the answer to its own request any more. */
  withdraw(peer: Peer, tracking: number): void {
    const state = peer.asked?.get(tracking);
    if (typeof state === 'object') this.timedOut(peer, 'asked', tracking, state, tickOf(this.#options.clock));
  }

  /** The session is over: what waits for it never will be delivered, and what was asked of it will not be answered. */
  sessionOver(peer: Peer): void {
    const { requests, mail, events, clock } = this.#options;
    const tick = tickOf(clock);
    if (peer.isCentral) {
      for (const object of requests.active) {
        this.#endAll(object, 'asks', tick);
        this.#withdrawAll(object, 'asked', tick);
      }
    } else {
      this.#endAll(peer, 'asked', tick);
      this.#withdrawAll(peer, 'asks', tick);
    }
    for (let responses = mail.clear(peer); responses > 0; responses -= 1)
      events.dropped('response for a session that is over');
  }

  /** Neither kept nor sent. */
  neverDelivered(peer: Peer, { request }: KeptItem, code: number): void {
    if (request === undefined) return this.#options.events.dropped('response that nobody could keep');
    const { object, direction, state } = this.stateOf(peer, request);
    // It has ended otherwise.
    if (object === undefined || (state !== KEPT && typeof state !== 'object')) return;
    this.#options.requests.delete(object, direction, request.tracking);
    this.#tell(object, direction, request.tracking, state, code);
  }

  /** What is known of a request that is kept for a peer. */
  stateOf(
    peer: Peer,
    { objectKey, tracking }: NonNullable<KeptItem['request']>,
  ): { object: Peer | undefined; direction: Direction; state: number | Waiter | undefined } {
    const object = peer.isCentral ? this.#options.peers.get(objectKey) : peer;
    const direction = peer.isCentral ? 'asks' : 'asked';
    return { object, direction, state: object?.[direction]?.get(tracking) };
  }

  /** Who was asked is gone: who asked is told. */
  #endAll(peer: Peer, direction: Direction, tick: number): void {
    for (const [tracking, state] of peer[direction] ?? []) {
      if (typeof state === 'number' && state < 0) continue;
      // A webhook answers without a session.
      if (direction === 'asks' && typeof state !== 'number') continue;
      this.timedOut(peer, direction, tracking, state, tick);
    }
  }

  /** Who asked is gone: what was not delivered never will be, and nobody is told an answer. */
  #withdrawAll(peer: Peer, direction: Direction, tick: number): void {
    for (const [tracking, state] of peer[direction] ?? []) {
      if (typeof state === 'number' && state < 0) continue;
      if (direction === 'asked' && typeof state !== 'number') continue;
      if (direction === 'asks') peer.requestIds?.delete(tracking);
      this.#free(peer, direction, tracking, state, tick);
    }
  }

  /** What was never sent cannot be answered; of the rest an answer may still come, and is to meet no other request. */
  #free(peer: Peer, direction: Direction, tracking: number, state: number | Waiter, tick: number): void {
    const { requests, mail, central } = this.#options;
    const isSent = typeof state === 'number' && state !== KEPT;
    const isWebhooks = direction === 'asks' && typeof state !== 'number';
    const isWithdrawn = !isSent && mail.withdraw(direction === 'asks' ? central : peer, tracking, peer.key);
    if (isWithdrawn || isWebhooks || state === KEPT) requests.delete(peer, direction, tracking);
    else requests.owe(peer, direction, tracking, tick);
  }

  #tell(peer: Peer, direction: Direction, tracking: number, state: number | Waiter, code: number): void {
    if (typeof state !== 'number') state.settle(emptyAnswer(code));
    else if (direction === 'asks') this.#options.outlets.answerObject(peer, tracking, code);
    else this.#options.outlets.answerCentral(peer.key, tracking, code);
  }
}
