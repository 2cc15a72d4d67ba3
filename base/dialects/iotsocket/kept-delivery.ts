import type { Duplex } from 'node:stream';
import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { firstOctets, transmissionLength } from '../../../protocol/iotsocket/transmission-length.js';
import type { Clock } from '../../core/clock.js';
import { HeldMail } from './held-mail.js';
import { KEPT } from './in-flight.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { KeptItem } from './kept-mail.js';
import type { MailRoom } from './mail-room.js';
import type { Outlets } from './outlets.js';
import type { Peer, PeerKey } from './peer.js';
import type { RelayEvents } from './relay-ports.js';
import { UID_OCTETS, u16At } from './relayed-octets.js';
import type { RequestEnds } from './request-ends.js';
import type { RequestTable } from './request-table.js';
import type { StreamSession } from './stream-session.js';
import { tickOf } from './ticks.js';

export interface KeptDeliveryOptions {
  /** Objects by key. */
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  readonly central: Peer | undefined;
  readonly requests: RequestTable;
  readonly ends: RequestEnds;
  readonly mail: MailRoom;
  readonly outlets: Outlets;
  readonly events: Pick<RelayEvents, 'dropped'>;
  readonly requestTimeoutMs: number;
  readonly limits: Pick<IotsocketLimits, 'unsentPauseOctets'>;
  readonly clock: Clock;
}

/** How what was kept for a peer reaches it when it is back. */
export class KeptDelivery {
  readonly #options: KeptDeliveryOptions;
  readonly #held: HeldMail;
  /** Whose mail waits until its connection takes more, and what ends that. */
  readonly #pauses = new Map<Peer, () => void>();

  constructor(options: KeptDeliveryOptions) {
    const { ends, requestTimeoutMs, clock } = options;
    this.#options = options;
    this.#held = new HeldMail({ ends, patienceMs: requestTimeoutMs, clock });
  }

  stop(): void {
    this.#held.stop();
  }

  /** What an earlier run kept. Gives the peers that it concerns: whose it is, and who asked. Where nobody did, it is erased. */
  restore(peer: Peer, octets: Buffer, position: number): readonly Peer[] {
    const { peers, central, mail, requests } = this.#options;
    // A card that fails changes octets: half a transmission would make nonsense of all that follows it.
    if (!isRelayed(peer, octets)) {
      mail.forget(position);
      return [];
    }
    const isRequest = octets[0] === (peer.isCentral ? firstOctets.requestWithUid : firstOctets.request);
    if (!isRequest) {
      mail.restore(peer, { octets, request: undefined, position });
      return [peer];
    }
    const objectKey = peer.isCentral ? octets.toString('latin1', 1, 1 + UID_OCTETS) : peer.key;
    const tracking = u16At(octets, peer.isCentral ? 1 + UID_OCTETS : 1);
    const object = peers.get(objectKey);
    const asker = peer.isCentral ? object : central;
    if (object === undefined || asker === undefined) {
      mail.forget(position);
      return [];
    }
    mail.restore(peer, { octets, request: { objectKey, tracking, isOwn: false }, position });
    requests.set(object, peer.isCentral ? 'asks' : 'asked', tracking, KEPT);
    return [peer, asker];
  }

  /** Sends all of it, in order; what comes meanwhile goes behind it. Where it is on its way already, that goes on. */
  resume(peer: Peer): void {
    if (peer.isResuming) this.#pauses.get(peer)?.();
    else if (peer.mail?.isWaiting) void this.#sendAll(peer);
  }

  async #sendAll(peer: Peer): Promise<void> {
    const { mail } = this.#options;
    const { sessionNumber } = peer;
    peer.isResuming = true;
    while (peer.session !== undefined && peer.mail?.isWaiting) {
      // Gone for good before it is sent: a base that is started anew must not send it twice.
      await this.#held.wait(peer, mail.takeOut(peer));
      while (peer.sessionNumber === sessionNumber && this.#sendMore(peer))
        await this.#pause(peer, peer.session!.stream);
      // It has ended with its mail, and another may have begun.
      if (peer.sessionNumber !== sessionNumber) return;
    }
    peer.isResuming = false;
    mail.putBack(peer);
  }

  /** True: there is more, and it is to be sent when the connection takes it. */
  #sendMore(peer: Peer): boolean {
    while (peer.session !== undefined) {
      const { session } = peer;
      if (session.unsent >= this.#options.limits.unsentPauseOctets && session.stream.writableNeedDrain) return true;
      const item = peer.mail?.next();
      if (item === undefined) return false;
      this.#send(peer, session, item);
    }
    return false;
  }

  /** Resolves when the stream has taken what was written to it, or is gone, or the peer has another. */
  #pause(peer: Peer, stream: Duplex): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stream.off('drain', end);
        stream.off('close', end);
        if (this.#pauses.get(peer) === end) this.#pauses.delete(peer);
        resolve();
      };
      this.#pauses.set(peer, end);
      stream.on('drain', end);
      stream.on('close', end);
    });
  }

  #send(peer: Peer, session: StreamSession, item: KeptItem): void {
    const { requests, ends, outlets, events, clock } = this.#options;
    const { octets, request } = item;
    if (request === undefined) {
      const isSent = outlets.send(session, session.fits(octets.length) ? octets : withoutContent(octets));
      if (!isSent) events.dropped('response for a session that is over');
      return;
    }
    const tick = tickOf(clock);
    const { object, direction, state } = ends.stateOf(peer, request);
    // Who asked has gone.
    if (object === undefined || state === undefined) return;
    if (typeof state !== 'number' && state.deadline <= tick)
      return ends.neverDelivered(peer, item, returnCodes.timeout);
    if (!outlets.send(session, octets)) return ends.neverDelivered(peer, item, returnCodes.noDestination);
    if (state === KEPT) requests.set(object, direction, request.tracking, requests.deadline(tick));
  }
}

/** A response that is longer than its asker takes: not valid, and empty. */
function withoutContent(octets: Buffer): Buffer {
  const head = octets[0] === firstOctets.response ? 3 : 19;
  const response = Buffer.alloc(head + 4);
  octets.copy(response, 0, 0, head);
  response[head] = returnCodes.notValid;
  return response;
}

/** Whether it is one whole transmission of those that are kept for such a peer. */
function isRelayed(peer: Peer, octets: Buffer): boolean {
  const firsts: readonly number[] = peer.isCentral
    ? [firstOctets.requestWithUid, firstOctets.responseWithUid]
    : [firstOctets.request, firstOctets.response];
  return firsts.includes(octets[0]!) && transmissionLength(octets, 0, octets.length) === octets.length;
}
