import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import type { Clock } from '../../core/clock.js';
import { freeNumber } from './in-flight.js';
import type { MailRoom } from './mail-room.js';
import { liveSession, type Outlets } from './outlets.js';
import { emptyAnswer, type OwnAnswer, type OwnRequest } from './own-request.js';
import { keyOf, type Peer, type PeerKey } from './peer.js';
import type { RelayUnits } from './relay-ports.js';
import { encodeToBuffer } from './relayed-octets.js';
import type { RequestEnds } from './request-ends.js';
import type { RequestTable } from './request-table.js';
import { tickOf, ticks } from './ticks.js';

export interface OwnRequestsOptions {
  /** Objects by key. */
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  readonly units: RelayUnits;
  readonly requests: RequestTable;
  readonly ends: RequestEnds;
  readonly mail: MailRoom;
  readonly outlets: Outlets;
  readonly clock: Clock;
}

/** Requests in the base's own name: of the central over HTTP, and commands. */
export class OwnRequests {
  readonly #options: OwnRequestsOptions;
  #isStopped = false;

  constructor(options: OwnRequestsOptions) {
    this.#options = options;
  }

  /** Those under way end as `A0`, and so does every other from now on. */
  stop(): void {
    this.#isStopped = true;
    for (const { asked } of this.#options.requests.active)
      for (const state of asked?.values() ?? [])
        if (typeof state !== 'number') state.settle(emptyAnswer(returnCodes.noDestination));
  }

  /** Asks an object, or another unit. Never rejects. */
  ask({ uid, payload, timeoutMs, signal }: OwnRequest): Promise<OwnAnswer> {
    const { peers, units, requests, ends, clock } = this.#options;
    const nowhere = Promise.resolve(emptyAnswer(returnCodes.noDestination));
    const peer = peers.get(keyOf(uid));
    if (peer === undefined) return units.has(uid) ? units.ask(uid, payload, timeoutMs) : nowhere;
    const tracking = freeNumber(peer.asked, peer.lastOwnNumber);
    const isPossible = peer.hasSession && !requests.isFull && !this.#isStopped && signal?.aborted !== true;
    if (tracking === undefined || !isPossible) return nowhere;
    if (!this.#send(peer, tracking, encodeToBuffer({ kind: 'request', tracking, payload }))) return nowhere;
    peer.lastOwnNumber = tracking;
    return new Promise((resolve) => {
      const abort = (): void => ends.withdraw(peer, tracking);
      signal?.addEventListener('abort', abort, { once: true });
      requests.set(peer, 'asked', tracking, {
        deadline: tickOf(clock) + ticks(timeoutMs),
        settle: (answer) => {
          signal?.removeEventListener('abort', abort);
          resolve(answer);
        },
      });
    });
  }

  /** False: it is not kept, and was not sent. */
  #send(peer: Peer, tracking: number, octets: Buffer): boolean {
    const { mail, outlets } = this.#options;
    const to = liveSession(peer);
    if (to !== undefined) return outlets.send(to, octets);
    return mail.keep(peer, octets, { objectKey: peer.key, tracking, isOwn: true });
  }
}
