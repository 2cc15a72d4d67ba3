import type { Duplex } from 'node:stream';
import { InternalError, ProtocolError } from '../../../protocol/errors.js';
import { AccessListReader } from '../../../protocol/iotsocket/access-list.js';
import { closeCodes } from '../../../protocol/iotsocket/transmission.js';
import {
  firstOctets,
  LENGTH_UNKNOWN,
  lengthKnownWith,
  NOT_A_TRANSMISSION,
  transmissionLength,
} from '../../../protocol/iotsocket/transmission-length.js';
import type { Connection, ConnectionInput } from '../../core/connection.js';
import { AccessListRefused } from './access-entry.js';
import type { Peer } from './peer.js';
import type { SessionHost } from './session-host.js';
import { own, type StreamOwner } from './stream-owner.js';

/** Room for what a turn sends, when it is more than one transmission: a verdict and a token, or some answers. */
const LEAST_OUT_OCTETS = 64;
/** What is written at once; more is another write. */
const MOST_OUT_OCTETS = 64 * 1024;
const LEAST_PARTIAL_OCTETS = 64;

const PING = Buffer.of(firstOctets.ping);

/**
 * One connection of an authenticated object or central: octets in, transmissions to the relay, transmissions out. Ten
 * thousand of them are idle at a time, so it holds numbers instead of timers, containers and closures, and its handlers
 * are shared (docs/performance.md).
 */
export class StreamSession implements StreamOwner, ConnectionInput {
  /** A TCP socket, a TLS socket or a WebSocket. */
  readonly stream: Duplex;
  readonly peer: Peer;
  readonly host: SessionHost;
  /** The address it came from, without a port. */
  readonly address: string;
  /** The longest transmission it takes; 0: unsaid. */
  readonly maxTransmission: number;
  /** Tick of the last octets from it. */
  heard: number;
  isPinged = false;
  /** Tick at which an unfinished transmission began; 0: there is none, or it is not read and has time. */
  partialSince = 0;
  /** Tick at which its connection is cut, since goodbye was said; 0: it was not. */
  goodbyeAt = 0;
  /** What its transmissions have used of its rate, and until when that is counted. */
  spent = 0;
  spentAt: number;
  isThrottled = false;
  /** Sessions that are not read because this one takes too little. */
  pausedFor: StreamSession[] | undefined;
  isPaused = false;
  isOver = false;
  /** Its figures, as the base's list of connections has them; the central is no unit and has none. */
  #connection: Connection | undefined;
  /** Requests and responses that its figures do not have yet, and the tick at which they were last told. */
  #received = 0;
  #sent = 0;
  #toldAt = 0;
  #out: Buffer | undefined;
  #used = 0;
  /** Octets that were not taken when it was last looked at, and since when it has taken none of them. */
  #untaken = 0;
  #stalledSince = 0;
  #isDirty = false;
  #isDrainHeard = false;
  #partial: Buffer | undefined;
  #partialUsed = 0;
  #list: AccessListReader | undefined;
  /** Octets behind an access list that is not in force yet. */
  #held: Buffer | undefined;

  constructor(
    host: SessionHost,
    peer: Peer,
    stream: Duplex,
    client: { readonly address: string; readonly maxTransmission: number },
    tick: number,
  ) {
    this.host = host;
    this.peer = peer;
    this.stream = stream;
    this.address = client.address;
    this.maxTransmission = client.maxTransmission;
    this.heard = tick;
    this.spentAt = tick;
  }

  /** Reads from now on, first what came behind the opening. */
  start(rest: Buffer): void {
    own(this.stream, this);
    if (this.stream.destroyed) return this.closed();
    if (rest.length > 0) this.data(rest);
    this.#resume();
  }

  /** From now on its requests and responses are counted there. */
  countIn(connection: Connection): void {
    this.#connection = connection;
    this.#sent = 0;
  }

  /** Tells its figures what has come and gone since: at once for one that says little, ten times a second for one that says much. */
  tell(tick: number): void {
    this.#toldAt = tick;
    if (this.#received > 0) this.#connection?.received(this.#received);
    if (this.#sent > 0) this.#connection?.sent(this.#sent);
    this.#received = 0;
    this.#sent = 0;
  }

  /** Its figures have an end; what follows is goodbye. */
  uncounted(tick: number): void {
    if (this.#connection === undefined) return;
    this.tell(tick);
    this.#connection.closed();
    this.#connection = undefined;
  }

  // ConnectionInput: no object of its own for each of ten thousand.

  get unit(): string {
    return this.peer.uid;
  }

  get remoteAddress(): string {
    return this.address;
  }

  get source(): this {
    return this;
  }

  get buffered(): number {
    return this.unsent;
  }

  /** Octets that were not taken yet. */
  get unsent(): number {
    return this.stream.writableLength + this.#used;
  }

  /** Tick since which it takes nothing of what was written; 0: it does. */
  get stalledSince(): number {
    if (this.#stalledSince !== 0) this.#look();
    return this.#stalledSince;
  }

  /** Octets of room for what is read and not relayed: an unfinished transmission, a list, what is behind a list. */
  get kept(): number {
    return (this.#partial?.length ?? 0) + (this.#list?.kept ?? 0) + (this.#held?.length ?? 0);
  }

  /** Whether it can take a transmission of so many octets at all. */
  fits(length: number): boolean {
    return this.maxTransmission === 0 || length <= this.maxTransmission;
  }

  /** Room for a transmission, behind all that this turn sends: it is to be written to `buffer` from there on. */
  reserve(length: number): number {
    const used = this.#used;
    const buffer = this.#out;
    if (!this.#isDirty) {
      this.#isDirty = true;
      this.host.flushLater(this);
    }
    if (buffer !== undefined && used + length <= buffer.length) {
      this.#used = used + length;
      this.#sent += 1;
      return used;
    }
    return this.#reserveMore(length);
  }

  /** Where {@link reserve} made room. */
  get buffer(): Buffer {
    return this.#out!;
  }

  /** Adds a transmission that is there already. */
  send(octets: Uint8Array): void {
    const at = this.reserve(octets.length);
    this.#out!.set(octets, at);
  }

  /** Writes what this turn has for it, in one piece. */
  flush(): void {
    this.#isDirty = false;
    const buffer = this.#out;
    const used = this.#used;
    if (buffer === undefined || used === 0) return;
    this.#used = 0;
    this.#out = undefined;
    const { stream } = this;
    if (stream.destroyed || stream.writableEnded) return;
    if (this.#stalledSince !== 0) this.#look();
    const { isCentral } = this.peer;
    const octets = used === buffer.length ? buffer : buffer.subarray(0, used);
    // What has to wait holds no more room than it needs; a central's buffer is large, and needed again at once.
    const isWaiting = this.#stalledSince !== 0;
    const isCopied = isWaiting || (isCentral && this.#untaken !== 0);
    stream.write(isCopied ? copyOf(octets, isWaiting) : octets);
    this.#untaken = stream.writableLength;
    if (isCentral && (isCopied || this.#untaken === 0)) this.#out = buffer;
    if (this.#untaken !== 0 && this.goodbyeAt === 0) this.#notTaken(this.#untaken);
  }

  ping(): void {
    if (this.#isDirty) this.send(PING);
    else this.stream.write(PING);
  }

  /** Says goodbye, then closes; the peer has 2 s to close as well. */
  close(code: number): void {
    if (this.goodbyeAt !== 0 || this.isOver) return;
    this.send(Uint8Array.of(firstOctets.close, code));
    this.#leave();
  }

  destroy(): void {
    this.stream.destroy();
  }

  data(chunk: Buffer): void {
    const tick = this.host.tick();
    this.heard = tick;
    this.isPinged = false;
    if (this.goodbyeAt !== 0) return;
    try {
      this.#read(chunk, tick);
    } catch (error) {
      const isPeers = error instanceof ProtocolError;
      const known = isPeers ? error : new InternalError('internal', (error as Error).message, { cause: error });
      this.host.broken(this, isPeers ? closeCodes.protocolError : closeCodes.internalError, known);
    }
    this.host.readDone();
  }

  /** Nothing follows. */
  closed(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#out = undefined;
    this.#forget();
    this.drained();
    this.host.closed(this);
  }

  /** It has taken everything. */
  drained(): void {
    this.#stalledSince = 0;
    const paused = this.pausedFor;
    this.pausedFor = undefined;
    if (paused !== undefined) for (const session of paused) session.readOn();
  }

  /** Does not read until {@link readOn}: what it sends goes to a session that takes too little. */
  pauseFor(slow: StreamSession): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.stream.pause();
    slow.pausedFor ??= [];
    slow.pausedFor.push(this);
  }

  readOn(): void {
    this.isPaused = false;
    this.#goesOn(this.host.tick());
  }

  /** Its rate allows more again. */
  unthrottle(tick: number): void {
    this.isThrottled = false;
    this.#goesOn(tick);
  }

  /** It was not read for a while: its clocks begin anew. */
  #goesOn(tick: number): void {
    this.heard = tick;
    this.#resume();
    if (!this.isPaused && !this.isThrottled && this.#isUnfinished) this.partialSince = tick;
  }

  /** Reads, unless there is a reason not to. */
  #resume(): void {
    if (!this.isPaused && !this.isThrottled && !this.isOver && this.#held === undefined) this.stream.resume();
  }

  get #isUnfinished(): boolean {
    return this.#partial !== undefined || this.#list !== undefined;
  }

  #read(octets: Buffer, tick: number): void {
    let at = 0;
    let count = 0;
    if (this.#list !== undefined) at = this.#readList(this.#list, octets, 0);
    else if (this.#partial !== undefined) {
      at = this.#complete(this.#partial, octets, tick);
      if (this.#partial === undefined) count = 1;
    }
    const end = octets.length;
    const { isCentral } = this.peer;
    while (at < end && this.goodbyeAt === 0) {
      const first = octets[at]!;
      if (first === firstOctets.accessList && isCentral) {
        this.partialSince = tick;
        this.#list = new AccessListReader({ maxEntries: this.host.limits.accessListEntries });
        at = this.#readList(this.#list, octets, at + 1);
        continue;
      }
      const length = transmissionLength(octets, at, end);
      // An object names no UID: it would reach other objects (RTE = 1).
      if (length === NOT_A_TRANSMISSION || (!isCentral && namesUid(first))) throw refusal(first);
      if (length === LENGTH_UNKNOWN || at + length > end) {
        this.#begin(octets, at, tick);
        break;
      }
      this.#take(octets, at, length, tick);
      at += length;
      count += 1;
    }
    if (!isCentral) this.#spend(count, tick);
    if (tick !== this.#toldAt) this.tell(tick);
    if (this.isPaused || this.isThrottled) this.partialSince = 0;
  }

  #take(octets: Buffer, at: number, length: number, tick: number): void {
    const { peer, host } = this;
    const first = octets[at]!;
    switch (first) {
      case firstOctets.ping:
        this.#pong();
        return;
      case firstOctets.pong:
        return;
      case firstOctets.close:
        host.closedByPeer(this, octets[at + 1]!);
        this.#leave();
        return;
      case firstOctets.request:
        this.#received += 1;
        if (peer.isCentral) host.relay.centralRequestWithoutUid(octets, at);
        else host.relay.objectRequest(this, octets, at, length, tick);
        return;
      case firstOctets.response:
        this.#received += 1;
        if (peer.isCentral) host.relay.dropped('response without a UID');
        else host.relay.objectResponse(this, octets, at, length, tick);
        return;
      case firstOctets.requestWithUid:
        host.relay.centralRequest(octets, at, length, tick);
        return;
      case firstOctets.responseWithUid:
        host.relay.centralResponse(octets, at, length, tick);
        return;
      default:
        throw refusal(first);
    }
  }

  #pong(): void {
    const at = this.reserve(1);
    this.#out![at] = firstOctets.pong;
    this.#sent -= 1;
  }

  /** Keeps the beginning of a transmission whose end has not come. */
  #begin(octets: Buffer, at: number, tick: number): void {
    const there = octets.length - at;
    // Of its own: a slice of Node's pool would keep 8 KiB alive.
    const partial = Buffer.allocUnsafeSlow(Math.max(LEAST_PARTIAL_OCTETS, there));
    octets.copy(partial, 0, at);
    this.#partial = partial;
    this.#partialUsed = there;
    this.partialSince = tick;
  }

  /** Adds to the transmission that has begun. Gives how many octets it took, all of them while it has no end. */
  #complete(begun: Buffer, octets: Buffer, tick: number): number {
    let partial = begun;
    let at = 0;
    while (at < octets.length) {
      const length = transmissionLength(partial, 0, this.#partialUsed);
      if (length === NOT_A_TRANSMISSION) throw refusal(partial[0]!);
      const wanted = length === LENGTH_UNKNOWN ? lengthKnownWith(partial[0]!) : length;
      const adding = Math.min(wanted - this.#partialUsed, octets.length - at);
      if (this.#partialUsed + adding > partial.length) {
        // Grows with what has come, not with what was announced.
        const room = Math.min(wanted, Math.max(2 * partial.length, this.#partialUsed + adding));
        const grown = Buffer.allocUnsafeSlow(room);
        partial.copy(grown, 0, 0, this.#partialUsed);
        partial = grown;
        this.#partial = grown;
      }
      octets.copy(partial, this.#partialUsed, at, at + adding);
      this.#partialUsed += adding;
      at += adding;
      if (transmissionLength(partial, 0, this.#partialUsed) === this.#partialUsed) {
        this.#partial = undefined;
        this.partialSince = 0;
        this.#take(partial, 0, this.#partialUsed, tick);
        return at;
      }
    }
    return at;
  }

  /** Gives where the octets behind the list begin. They wait until the list is in force. */
  #readList(list: AccessListReader, octets: Buffer, from: number): number {
    const result = list.push(octets.subarray(from));
    if (result.kind === 'bad') throw result.error;
    if (result.kind === 'more') {
      this.#list = list;
      return octets.length;
    }
    this.#list = undefined;
    this.partialSince = 0;
    // A copy: the read buffer may be large.
    this.#held = Buffer.from(octets.subarray(octets.length - result.rest));
    this.stream.pause();
    void this.host.replaceAccessList(result.entries).then(
      () => this.#goOn(),
      (error: Error) => {
        this.#held = undefined;
        if (this.isOver || this.goodbyeAt !== 0) return;
        // The list may be right, and our disk full.
        const isPeers = error instanceof AccessListRefused;
        this.host.broken(this, isPeers ? closeCodes.protocolError : closeCodes.internalError, error);
      },
    );
    return octets.length;
  }

  #goOn(): void {
    const held = this.#held ?? Buffer.alloc(0);
    this.#held = undefined;
    if (this.isOver || this.goodbyeAt !== 0) return;
    if (held.length > 0) this.data(held);
    this.#resume();
  }

  /** A peer that sends more than it may is not read for a while; TCP does the rest. */
  #spend(count: number, tick: number): void {
    const { transmissionsPerS, transmissionBurst } = this.host.limits;
    const perTick = transmissionsPerS / 10;
    this.spent = Math.max(0, this.spent - (tick - this.spentAt) * perTick) + count;
    this.spentAt = tick;
    if (this.spent <= transmissionBurst || this.isThrottled || this.goodbyeAt !== 0) return;
    this.isThrottled = true;
    this.stream.pause();
    this.host.throttled(this, tick + Math.ceil((this.spent - transmissionBurst) / perTick));
  }

  #reserveMore(length: number): number {
    const buffer = this.#out;
    const used = this.#used;
    if (buffer !== undefined && used > 0 && used + length > MOST_OUT_OCTETS) {
      this.flush();
      // The host knows already.
      this.#isDirty = true;
      return this.reserve(length);
    }
    // An object is sent one transmission in most turns: the first gets the room it needs.
    const least = this.peer.isCentral ? MOST_OUT_OCTETS : buffer === undefined ? length : LEAST_OUT_OCTETS;
    const room = Math.max(least, used + length, Math.min(MOST_OUT_OCTETS, 2 * (buffer?.length ?? 0)));
    const grown = Buffer.allocUnsafe(room);
    if (buffer !== undefined) buffer.copy(grown, 0, 0, used);
    this.#out = grown;
    this.#used = used + length;
    this.#sent += 1;
    return used;
  }

  #notTaken(unsent: number): void {
    if (unsent > this.host.limits.unsentOctets) return this.host.tooSlow(this);
    if (this.#stalledSince === 0) this.#stalledSince = this.host.tick();
    if (this.#isDrainHeard) return;
    this.#isDrainHeard = true;
    this.stream.on('drain', () => this.drained());
  }

  /**
   * Whether it has taken something since. There is no `drain` for little, and TLS and WebSockets take nothing before the
   * write has returned.
   */
  #look(): void {
    const { writableLength } = this.stream;
    if (writableLength === 0) return this.drained();
    if (writableLength < this.#untaken) this.#stalledSince = this.host.tick();
    this.#untaken = writableLength;
  }

  /** No more octets from us. */
  #leave(): void {
    // First, so that nothing that comes of the last write leads here again.
    this.goodbyeAt = this.host.goodbyeTick();
    this.flush();
    this.#forget();
    this.stream.end();
    this.stream.resume();
  }

  /** Nothing of what it sent counts any more. */
  #forget(): void {
    this.#partial = undefined;
    this.#list = undefined;
    this.#held = undefined;
    this.partialSince = 0;
  }
}

/** `isForLong`: in memory of its own, as a slice of Node's pool keeps 8 KiB alive; that takes longer to make. */
function copyOf(octets: Buffer, isForLong: boolean): Buffer {
  const copy = isForLong ? Buffer.allocUnsafeSlow(octets.length) : Buffer.allocUnsafe(octets.length);
  octets.copy(copy);
  return copy;
}

const namesUid = (first: number): boolean =>
  first === firstOctets.requestWithUid || first === firstOctets.responseWithUid;

const refusal = (first: number): ProtocolError =>
  new ProtocolError(
    'frame-malformed',
    `nothing that this peer may send begins with ${first.toString(16).padStart(2, '0')}`,
  );
