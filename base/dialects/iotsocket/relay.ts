import { type PayloadBlock, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { firstOctets } from '../../../protocol/iotsocket/transmission-length.js';
import type { Clock } from '../../core/clock.js';
import { isTaken, KEPT, type Waiter } from './in-flight.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import { KeptDelivery } from './kept-delivery.js';
import type { KeptItem } from './kept-mail.js';
import { type KeptStore, MailRoom } from './mail-room.js';
import { liveSession, Outlets } from './outlets.js';
import { emptyAnswer, type OwnAnswer, type OwnRequest } from './own-request.js';
import { OwnRequests } from './own-requests.js';
import { CENTRAL_KEY, type Peer, type PeerKey } from './peer.js';
import type { DropReason, RelayEvents, RelayUnits, RelayWebhooks } from './relay-ports.js';
import { blockCopyAt, blockViewAt, UID_OCTETS, u16At, writeWithUid } from './relayed-octets.js';
import { RequestEnds } from './request-ends.js';
import { RequestTable } from './request-table.js';
import type { StreamSession } from './stream-session.js';
import { TelemetryOutlet } from './telemetry-outlet.js';
import { UnitRequests } from './unit-requests.js';

export interface RelayOptions {
  /** Objects by key. */
  readonly peers: ReadonlyMap<PeerKey, Peer>;
  readonly central: Peer | undefined;
  readonly webhooks: RelayWebhooks | undefined;
  readonly units: RelayUnits;
  readonly events: RelayEvents;
  readonly store: KeptStore;
  readonly tooSlow: (session: StreamSession) => void;
  readonly requestTimeoutMs: number;
  readonly limits: IotsocketLimits;
  readonly clock: Clock;
}

/**
 * Who gets what: requests of objects to the central and of the central to objects, their answers back by tracking number,
 * telemetry to the central. Works on the octets as they were read, and makes no object for a transmission on its way
 * between two sessions (docs/performance.md).
 */
export class Relay {
  readonly #options: RelayOptions;
  readonly #requests: RequestTable;
  readonly #mail: MailRoom;
  readonly #outlets: Outlets;
  readonly #ends: RequestEnds;
  readonly #kept: KeptDelivery;
  readonly #unitRequests: UnitRequests;
  readonly #own: OwnRequests;
  readonly #telemetry: TelemetryOutlet;

  constructor(options: RelayOptions) {
    const { peers, central, webhooks, units, requestTimeoutMs, limits, clock, store, events, tooSlow } = options;
    this.#options = options;
    const requests = new RequestTable({
      central,
      requestTimeoutMs,
      maxRequests: limits.requests,
      timedOut: (...request) => this.#ends.timedOut(...request),
      clock,
    });
    // The disk did not take it: as if there had been no room.
    const lost = (peer: Peer, item: KeptItem): void => this.#ends.neverDelivered(peer, item, returnCodes.noDestination);
    const mail = new MailRoom({ store, limits, lost });
    const outlets = new Outlets({ central, mail, events, tooSlow, limits });
    this.#requests = requests;
    this.#mail = mail;
    this.#outlets = outlets;
    const ends = new RequestEnds({ peers, central, requests, mail, outlets, events, clock });
    this.#ends = ends;
    const kept = { peers, central, requests, ends, mail, outlets, events, requestTimeoutMs, limits, clock };
    this.#kept = new KeptDelivery(kept);
    this.#own = new OwnRequests({ peers, units, requests, ends, mail, outlets, clock });
    this.#telemetry = new TelemetryOutlet({ central, webhooks, events, limits });
    this.#unitRequests = new UnitRequests({ units, requests, outlets, requestTimeoutMs });
  }

  /** Requests without an answer, and answers still owed. */
  get inFlight(): number {
    return this.#requests.count;
  }

  /** Octets kept for peers that are away. */
  get keptOctets(): number {
    return this.#mail.octets;
  }

  /** The base's own requests end; nothing is timed any more. */
  stop(): void {
    this.#requests.stop();
    this.#unitRequests.end();
    this.#kept.stop();
    this.#own.stop();
  }

  dropped(what: DropReason): void {
    this.#options.events.dropped(what);
  }

  // From objects.

  objectRequest(session: StreamSession, octets: Buffer, at: number, length: number, tick: number): void {
    const { peer } = session;
    const tracking = u16At(octets, at + 1);
    if (isTaken(peer.asks?.get(tracking), tick))
      return this.#outlets.answerObject(peer, tracking, returnCodes.sameTracking);
    const id = this.#options.events.requested(peer.uid, octets, at + 3, at + length);
    if (id !== undefined) {
      peer.requestIds ??= new Map();
      peer.requestIds.set(tracking, id);
    }
    const state = this.#requests.isFull ? undefined : this.#askCentral(session, tracking, octets, at, length, tick);
    if (state === undefined) return this.#outlets.answerObject(peer, tracking, returnCodes.noDestination);
    this.#requests.set(peer, 'asks', tracking, state);
  }

  objectResponse({ peer }: StreamSession, octets: Buffer, at: number, length: number, tick: number): void {
    const tracking = u16At(octets, at + 1);
    const state = peer.asked?.get(tracking);
    if (state === undefined || state === KEPT) return this.dropped('response nobody asked for');
    if (typeof state !== 'number') {
      if (peer.mail?.has(tracking)) return this.dropped('response nobody asked for');
      this.#requests.delete(peer, 'asked', tracking);
      if (state.deadline <= tick) {
        this.dropped('response after its time');
        return state.settle(emptyAnswer(returnCodes.timeout));
      }
      return state.settle({ code: octets[at + 3]!, payload: blockCopyAt(octets, at + 4, at + length) });
    }
    this.#requests.delete(peer, 'asked', tracking);
    if (state > tick) return this.#outlets.toCentral(peer, octets, at, length);
    this.dropped('response after its time');
    // Its time is over, and nobody has said so yet.
    if (state > 0) this.#outlets.answerCentral(peer.key, tracking, returnCodes.timeout);
  }

  // From the central.

  centralRequestWithoutUid(octets: Buffer, at: number): void {
    this.#outlets.answerCentral(CENTRAL_KEY, u16At(octets, at + 1), returnCodes.noDestination);
  }

  centralRequest(octets: Buffer, at: number, length: number, tick: number): void {
    const key = octets.toString('latin1', at + 1, at + 17);
    const tracking = u16At(octets, at + 17);
    const peer = this.#options.peers.get(key);
    if (peer === undefined) return this.#unitRequests.ask(key, tracking, octets, at, length);
    if (isTaken(peer.asked?.get(tracking), tick))
      return this.#outlets.answerCentral(key, tracking, returnCodes.sameTracking);
    const state = this.#requests.isFull ? undefined : this.#askObject(peer, tracking, octets, at, length, tick);
    if (state === undefined) return this.#outlets.answerCentral(key, tracking, returnCodes.noDestination);
    this.#requests.set(peer, 'asked', tracking, state);
  }

  centralResponse(octets: Buffer, at: number, length: number, tick: number): void {
    const peer = this.#options.peers.get(octets.toString('latin1', at + 1, at + 17));
    const tracking = u16At(octets, at + 17);
    const state = peer?.asks?.get(tracking);
    if (peer === undefined || typeof state !== 'number' || state === KEPT)
      return this.dropped('response nobody asked for');
    this.#requests.delete(peer, 'asks', tracking);
    if (state > tick) {
      this.#outlets.tellResponse(peer, tracking, octets[at + 19]!, octets, at + 20, at + length);
      return this.#outlets.toObject(peer, tracking, octets, at + 17, at + length);
    }
    this.dropped('response after its time');
    if (state > 0) this.#outlets.answerObject(peer, tracking, returnCodes.timeout);
  }

  /** A datagram whose token was checked: a payload block from `at` on. */
  telemetry(peer: Peer, octets: Buffer, at: number, end: number): void {
    this.#telemetry.send(peer.uid, peer.key, octets, at, end);
    this.#options.events.telemetry(peer.uid, blockViewAt(octets, at, end));
  }

  /** A report of a unit that is no object, for the central alone. */
  unitTelemetry(uid: string, block: PayloadBlock): void {
    this.#telemetry.unit(uid, block);
  }

  /** Asks an object, or another unit, in the base's own name. Never rejects. */
  ask(request: OwnRequest): Promise<OwnAnswer> {
    return this.#own.ask(request);
  }

  // A peer's session goes and comes.

  /** What was kept goes out, in order; what comes meanwhile goes behind it. The session's clocks go on. */
  resume(peer: Peer, awayTicks: number): void {
    this.#requests.goOn(peer, awayTicks);
    this.#kept.resume(peer);
  }

  /** The session is over: nothing of it is owed any more, and who asked it something is told. */
  end(peer: Peer): void {
    peer.isResuming = false;
    peer.sessionNumber += 1;
    if (peer.isCentral) this.#unitRequests.end();
    this.#ends.sessionOver(peer);
  }

  /** The peer is no longer in the access list: nothing is owed to or by it. */
  remove(peer: Peer): void {
    this.#requests.forget(peer);
  }

  /** What an earlier run kept. Gives the peers that it concerns: whose it is, and who asked. */
  restore(peer: Peer, octets: Buffer, position: number): readonly Peer[] {
    return this.#kept.restore(peer, octets, position);
  }

  /** Gives what its number is to hold; `undefined`: there is no central, or no room. */
  #askCentral(
    session: StreamSession,
    tracking: number,
    octets: Buffer,
    at: number,
    length: number,
    tick: number,
  ): number | Waiter | undefined {
    const { peer } = session;
    const { central, webhooks, limits } = this.#options;
    const whole = length + UID_OCTETS;
    const to = central && liveSession(central);
    if (to !== undefined) {
      if (!this.#outlets.canSend(to, whole)) return undefined;
      const out = to.reserve(whole);
      writeWithUid(to.buffer, out, firstOctets.requestWithUid, peer.key, octets, at, length);
      if (to.stalledSince !== 0 && to.unsent > limits.unsentPauseOctets) session.pauseFor(to);
      return this.#requests.deadline(tick);
    }
    if (central?.hasSession) {
      const kept = Buffer.allocUnsafeSlow(whole);
      writeWithUid(kept, 0, firstOctets.requestWithUid, peer.key, octets, at, length);
      return this.#mail.keep(central, kept, { objectKey: peer.key, tracking, isOwn: false }) ? KEPT : undefined;
    }
    if (!webhooks?.hasRequest) return undefined;
    const waiter: Waiter = {
      // The webhook has a time-out of its own.
      deadline: Number.POSITIVE_INFINITY,
      settle: ({ code, payload }) => {
        if (peer.asks?.get(tracking) !== waiter) return;
        this.#requests.delete(peer, 'asks', tracking);
        this.#outlets.answerObject(peer, tracking, code, payload);
      },
    };
    void webhooks.request(peer.uid, blockCopyAt(octets, at + 3, at + length)).then(waiter.settle);
    return waiter;
  }

  /** As {@link #askCentral}. */
  #askObject(
    peer: Peer,
    tracking: number,
    octets: Buffer,
    at: number,
    length: number,
    tick: number,
  ): number | undefined {
    const without = length - UID_OCTETS;
    const to = liveSession(peer);
    if (to !== undefined) {
      if (!this.#outlets.canSend(to, without)) return undefined;
      const out = to.reserve(without);
      const { buffer } = to;
      buffer[out] = firstOctets.request;
      octets.copy(buffer, out + 1, at + 17, at + length);
      return this.#requests.deadline(tick);
    }
    if (!peer.hasSession) return undefined;
    const kept = Buffer.allocUnsafeSlow(without);
    kept[0] = firstOctets.request;
    octets.copy(kept, 1, at + 17, at + length);
    return this.#mail.keep(peer, kept, { objectKey: peer.key, tracking, isOwn: false }) ? KEPT : undefined;
  }
}
