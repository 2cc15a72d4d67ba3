import { type PayloadBlock, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { firstOctets } from '../../../protocol/iotsocket/transmission-length.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { MailRoom } from './mail-room.js';
import { emptyAnswer } from './own-request.js';
import type { Peer, PeerKey } from './peer.js';
import type { DropReason, RelayEvents } from './relay-ports.js';
import { blockViewAt, encodeToBuffer, UID_OCTETS, u16At, writeWithUid } from './relayed-octets.js';
import type { StreamSession } from './stream-session.js';

export interface OutletsOptions {
  readonly central: Peer | undefined;
  readonly mail: MailRoom;
  readonly events: RelayEvents;
  readonly tooSlow: (session: StreamSession) => void;
  readonly limits: Pick<IotsocketLimits, 'unsentOctets'>;
}

/** `type | tracking:16 | code | payload block of nothing`. */
const EMPTY_RESPONSE_OCTETS = 7;

/** The connection on which a transmission can go out at once: not while kept ones are before it. */
export const liveSession = (peer: Peer): StreamSession | undefined => (peer.isResuming ? undefined : peer.session);

/**
 * How responses reach who asked: over its connection, or kept while its session is. One that is longer than the asker takes
 * becomes an empty `01`.
 */
export class Outlets {
  readonly #options: OutletsOptions;

  constructor(options: OutletsOptions) {
    this.#options = options;
  }

  /** An object's answer to the central, live or kept. */
  toCentral(peer: Peer, octets: Buffer, at: number, length: number): void {
    const { central } = this.#options;
    const whole = length + UID_OCTETS;
    const to = central && liveSession(central);
    if (to !== undefined) {
      if (!to.fits(whole)) return this.answerCentral(peer.key, u16At(octets, at + 1), returnCodes.notValid);
      if (!this.canSend(to, whole)) return this.#dropped('response for a session that is over');
      const out = to.reserve(whole);
      return writeWithUid(to.buffer, out, firstOctets.responseWithUid, peer.key, octets, at, length);
    }
    if (!central?.hasSession) return this.#dropped('response for a session that is over');
    const kept = Buffer.allocUnsafeSlow(whole);
    writeWithUid(kept, 0, firstOctets.responseWithUid, peer.key, octets, at, length);
    if (!this.#options.mail.keep(central, kept, undefined)) this.#dropped('response that nobody could keep');
  }

  /** The central's answer to an object, from its tracking number on. */
  toObject(peer: Peer, tracking: number, octets: Buffer, from: number, end: number): void {
    const length = 1 + end - from;
    const to = liveSession(peer);
    if (to !== undefined) {
      if (!to.fits(length) && length > EMPTY_RESPONSE_OCTETS)
        return this.answerObject(peer, tracking, returnCodes.notValid);
      if (!this.canSend(to, length)) return this.#dropped('response for a session that is over');
      const out = to.reserve(length);
      const { buffer } = to;
      buffer[out] = firstOctets.response;
      octets.copy(buffer, out + 1, from, end);
      return;
    }
    if (!peer.hasSession) return this.#dropped('response for a session that is over');
    const kept = Buffer.allocUnsafeSlow(length);
    kept[0] = firstOctets.response;
    octets.copy(kept, 1, from, end);
    if (!this.#options.mail.keep(peer, kept, undefined)) this.#dropped('response that nobody could keep');
  }

  /** An answer of the base, or of a webhook. */
  answerObject(peer: Peer, tracking: number, code: number, payload: PayloadBlock = emptyAnswer(code).payload): void {
    const octets = encodeToBuffer({ kind: 'response', tracking, code, payload });
    // The one under way with this number is still to be answered.
    if (code !== returnCodes.sameTracking) this.tellResponse(peer, tracking, code, octets, 4, octets.length);
    this.toObject(peer, tracking, octets, 1, octets.length);
  }

  answerCentral(key: PeerKey, tracking: number, code: number, payload: PayloadBlock = emptyAnswer(code).payload): void {
    const { central } = this.#options;
    const without = encodeToBuffer({ kind: 'response', tracking, code, payload });
    const octets = Buffer.allocUnsafeSlow(without.length + UID_OCTETS);
    writeWithUid(octets, 0, firstOctets.responseWithUid, key, without, 0, without.length);
    const to = central && liveSession(central);
    if (to !== undefined) {
      if (!to.fits(octets.length) && payload.data.length > 0)
        return this.answerCentral(key, tracking, returnCodes.notValid);
      if (!this.send(to, octets)) this.#dropped('response for a session that is over');
    } else if (!central?.hasSession) this.#dropped('response for a session that is over');
    else if (!this.#options.mail.keep(central, octets, undefined)) this.#dropped('response that nobody could keep');
  }

  tellResponse(peer: Peer, tracking: number, code: number, octets: Buffer, from: number, end: number): void {
    const id = peer.requestIds?.get(tracking);
    if (id === undefined) return;
    peer.requestIds!.delete(tracking);
    this.#options.events.responded(id, peer.uid, code, blockViewAt(octets, from, end));
  }

  /** False: it does not take so long a transmission, or was cut because it takes too little. */
  canSend(to: StreamSession, length: number): boolean {
    if (!to.fits(length)) return false;
    // Only where something is left unsent at all is it worth the question how much.
    if (to.stalledSince === 0 || to.unsent + length <= this.#options.limits.unsentOctets) return true;
    this.#options.tooSlow(to);
    return false;
  }

  send(to: StreamSession, octets: Buffer): boolean {
    if (!this.canSend(to, octets.length)) return false;
    to.send(octets);
    return true;
  }

  #dropped(what: DropReason): void {
    this.#options.events.dropped(what);
  }
}
