import { LineReader, type LineSink } from '../../../protocol/elfin/line-reader.js';
import { decodeControl, decodeDataHead, LIFE_TYPE } from '../../../protocol/elfin/message.js';
import { BAD_HEAD, controlEnd, NO_DATA, payloadStart } from '../../../protocol/elfin/segment.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { Timer } from '../../core/clock.js';
import { peerText } from '../../core/log.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { Carrier, CarrierSink } from '../../links/carrier.js';
import type { PendingCarrier } from '../handler.js';
import type { Device } from './device.js';
import type { Framing } from './elfin-options.js';
import { Outlet, SLICE_OCTETS } from './outlet.js';
import { Reading } from './reading.js';
import type { SessionHost } from './session-host.js';
import { otherEnd, type Tunnel } from './tunnel.js';
import type { UserSecret } from './user-secret.js';

/** A head of data that counted, as it came: the next one is mostly the same, and need not be understood again. */
interface KnownHead {
  readonly octets: Uint8Array;
  readonly user: string;
  readonly mac: string;
  readonly host: string;
  /** Whose life it is; `undefined`: of none. */
  readonly device: Device | undefined;
  readonly usersRevision: number;
}

/** One connection: an adapter, or a program that asks for tunnels. Both framings. */
export class ElfinSession implements CarrierSink, LineSink {
  readonly carrier: Carrier;
  readonly outlet: Outlet;
  /** Where it comes from, without a port. */
  readonly address: string;
  /** Tunnels of which it is the first end, and the second. */
  asFirst: Tunnel | undefined;
  asSecond: Tunnel | undefined;
  /** That it said last it is, and all of them. */
  device: Device | undefined;
  devices: Set<Device> | undefined;
  readonly #host: SessionHost;
  readonly #pending: PendingCarrier;
  /** `undefined`: one read is one message. */
  readonly #reader: LineReader | undefined;
  #bucket: TokenBucket | undefined;
  #isProved = false;
  /** Right secrets that were shown. */
  #shown: Set<UserSecret> | undefined;
  #head: KnownHead | undefined;
  // The payload that comes now, in lines: where it goes, and what of it stands together in the chunk and is not sent yet.
  #relayTo: Tunnel | undefined;
  #run: Uint8Array | undefined;
  #runStart = 0;
  #runEnd = 0;
  readonly #reading: Reading;
  #hasEnded = false;
  /** It has said that it will send no more: it must go now. */
  #leaving: Timer | undefined;
  #isOver = false;

  constructor(host: SessionHost, pending: PendingCarrier, framing: Framing) {
    const { carrier } = pending;
    this.#host = host;
    this.#pending = pending;
    this.carrier = carrier;
    this.outlet = new Outlet(carrier, host.turn);
    this.address = carrier.remote.slice(0, carrier.remote.lastIndexOf(':'));
    this.#reader = framing === 'line' ? new LineReader(host.limits.controlOctets) : undefined;
    this.#reading = new Reading({ carrier, clock: host.clock, wake: () => host.wake(this) });
  }

  // Who it is.

  /** What it says counts: it is no stranger any more. */
  proved(): void {
    if (this.#isProved) return;
    this.#isProved = true;
    this.#pending.proved();
  }

  hasShown(secret: UserSecret): boolean {
    return this.#shown?.has(secret) === true;
  }

  shown(secret: UserSecret): void {
    this.#shown ??= new Set();
    this.#shown.add(secret);
  }

  // When it is read.

  /** Reads nothing for so long. */
  slowDown(ms: number): void {
    this.#reading.slowDown(ms);
  }

  /** There is no tunnel to that one any more, which may have been full. */
  goesOnWithout(session: ElfinSession): void {
    this.#reading.goesOnWithout(session);
  }

  /** Of the gateway's `wake`: reads what is left, where nothing is in its way. */
  goOn(): void {
    const reading = this.#reading;
    for (let chunk = reading.next(); chunk !== undefined; chunk = reading.next()) this.#read(chunk);
    if (reading.isHeld || this.#isOver) return;
    reading.resume();
    if (this.#hasEnded) this.#leave();
  }

  // CarrierSink.

  octets(chunk: Uint8Array): void {
    const reading = this.#reading;
    if (reading.isHeld || reading.hasRest) reading.keep(chunk);
    else this.#read(chunk);
    reading.pauseIfHeld();
  }

  drained(): void {
    if (!this.outlet.drained()) return;
    for (const tunnel of [this.asFirst, this.asSecond]) {
      tunnel?.first.session.goesOnWithout(this);
      tunnel?.second.session.goesOnWithout(this);
    }
    this.#reading.answerTaken();
  }

  ended(): void {
    this.#hasEnded = true;
    if (!this.#reading.isHeld && !this.#reading.hasRest) this.#leave();
  }

  closed(error?: Error): void {
    this.#isOver = true;
    this.#reading.end();
    this.#leaving?.cancel();
    this.#run = undefined;
    this.#head = undefined;
    this.outlet.discard();
    const reason = error === undefined ? 'its connection was closed' : `its connection was lost: ${error.message}`;
    this.#host.left(this, peerText(reason));
    this.#host.gone(this);
  }

  // LineSink.

  control(octets: Uint8Array, start: number, end: number): boolean {
    // What came before goes where it was to go.
    this.#sendRun();
    this.#control(octets, start, end);
    return !this.#reading.isHeld;
  }

  data(octets: Uint8Array, start: number, end: number, length: number): boolean {
    const tunnel = this.#tunnelOf(octets, start, end);
    if (tunnel !== this.#relayTo) this.#sendRun();
    this.#relayTo = tunnel;
    if (tunnel !== undefined) this.#count(tunnel, length);
    return !this.#reading.isHeld;
  }

  payload(chunk: Uint8Array, start: number, end: number): boolean {
    if (this.#relayTo === undefined) return true;
    if (this.#run === undefined) {
      this.#run = chunk;
      this.#runStart = start;
      this.#runEnd = end;
    } else if (end - start <= SLICE_OCTETS) {
      // What goes one way goes in one write: it is moved together, over heads that were read.
      this.#run.copyWithin(this.#runEnd, start, end);
      this.#runEnd += end - start;
    } else {
      this.#sendRun();
      return this.payload(chunk, start, end);
    }
    if (this.#runEnd - this.#runStart >= SLICE_OCTETS) this.#sendRun();
    return !this.#reading.isHeld;
  }

  #read(chunk: Uint8Array): void {
    if (this.#reader === undefined) return this.#segment(chunk);
    const came = this.#reader.read(chunk, 0, this);
    this.#sendRun();
    if (typeof came !== 'number') {
      this.#host.malformed(this, came);
      // What came before was answered.
      this.outlet.flush();
      this.carrier.destroy();
    } else if (came < chunk.length) {
      this.#reading.putBack(chunk.subarray(came));
    }
  }

  #segment(chunk: Uint8Array): void {
    const start = payloadStart(chunk, this.#host.limits.controlOctets);
    if (start === NO_DATA) return this.#control(chunk, 0, controlEnd(chunk));
    if (start === BAD_HEAD) return this.#malformed(new ProtocolError('frame-malformed', 'it is no head of data'));
    const tunnel = this.#tunnelOf(chunk, 0, start);
    if (tunnel === undefined) return;
    this.#count(tunnel, chunk.length - start);
    this.#send(tunnel, chunk.subarray(start));
  }

  #control(octets: Uint8Array, start: number, end: number): void {
    const { controlOctets } = this.#host.limits;
    if (end - start > controlOctets)
      return this.#malformed(new ProtocolError('frame-too-long', `a message of more than ${controlOctets} octets`));
    const message = decodeControl(octets, start, end);
    if (message instanceof ProtocolError) return this.#malformed(message);
    this.#spend();
    const answer = this.#host.control(this, message);
    if (this.device !== undefined) this.#host.counted(this.device, 1, answer === undefined ? 0 : 1);
    if (answer !== undefined && !this.outlet.send(answer)) this.#reading.waitForAnswer(answer.buffer.byteLength);
  }

  /** Where the data goes behind this head; `undefined`: nowhere. */
  #tunnelOf(octets: Uint8Array, start: number, end: number): Tunnel | undefined {
    const head = this.#headOf(octets, start, end);
    const tunnel = head && this.#tunnelOfUser(head.user);
    if (tunnel === undefined) this.#host.relayed.dropped += 1;
    return tunnel;
  }

  /** What this head says, and what that means for its device; `undefined`: nothing. */
  #headOf(octets: Uint8Array, start: number, end: number): Pick<KnownHead, 'user'> | undefined {
    const known = this.#head;
    if (known === undefined || !isSame(known.octets, octets, start, end)) return this.#newHead(octets, start, end);
    if (known.usersRevision !== this.#host.usersRevision) return this.#newHead(octets, start, end);
    const { device } = known;
    if (device === undefined) return known;
    if (device.session !== this || device.user !== known.user) return this.#newHead(octets, start, end);
    this.#host.heard(device);
    return known;
  }

  #newHead(octets: Uint8Array, start: number, end: number): Pick<KnownHead, 'user'> | undefined {
    this.#head = undefined;
    const head = decodeDataHead(octets, start, end);
    if (head instanceof ProtocolError) {
      this.#malformed(head);
      return undefined;
    }
    const { account, mac, host, type } = head;
    const user = account.uuid;
    const isLife = type === LIFE_TYPE;
    if (isLife) this.#spend();
    if (!this.#host.admits(this, account)) {
      if (!isLife) this.#spend();
      return undefined;
    }
    const device = isLife ? this.#host.beat(this, { user, mac, host }) : undefined;
    const { usersRevision } = this.#host;
    if (!isLife || device !== undefined)
      this.#head = { octets: Uint8Array.from(octets.subarray(start, end)), user, mac, host, device, usersRevision };
    return { user };
  }

  /** The older of its tunnels that are that user's. */
  #tunnelOfUser(user: string): Tunnel | undefined {
    const { asFirst: first, asSecond: second } = this;
    if (first?.user !== user) return second?.user === user ? second : undefined;
    return second?.user === user && second.ordinal < first.ordinal ? second : first;
  }

  #count(tunnel: Tunnel, octets: number): void {
    const own = tunnel.first.session === this ? tunnel.first : tunnel.second;
    own.messages += 1;
    own.octets += octets;
    if (own.device !== undefined) this.#host.counted(own.device, 1, 0);
    const other = otherEnd(tunnel, own).device;
    if (other !== undefined) this.#host.counted(other, 0, 1);
    const { relayed } = this.#host;
    relayed.messages += 1;
    relayed.octets += octets;
  }

  #send(tunnel: Tunnel, octets: Uint8Array): void {
    // It may have gone while its payload comes.
    if (!tunnel.isOpen || octets.length === 0) return;
    const { first, second } = tunnel;
    const other = first.session === this ? second.session : first.session;
    if (other.outlet.send(octets)) return;
    this.#reading.waitFor(other);
    if (other.#isOverfull) other.#cut();
  }

  /** Its tunnels were replaced while it took nothing, and each sender has left something here. */
  get #isOverfull(): boolean {
    return this.outlet.keptOctets - this.#reading.answerOctets > this.#host.limits.unsentOctets;
  }

  #cut(): void {
    this.#host.left(this, 'its connection was cut: it does not take what is sent to it');
    this.carrier.destroy();
  }

  #sendRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    this.#send(this.#relayTo!, run.subarray(this.#runStart, this.#runEnd));
  }

  #malformed(error: ProtocolError): void {
    this.#spend();
    this.#host.malformed(this, error);
  }

  /** One message that is no data of a tunnel: too many of them are read more slowly. */
  #spend(): void {
    const { clock, limits } = this.#host;
    const now = clock.monotonic();
    this.#bucket ??= new TokenBucket({ perSecond: limits.messagesPerS, burst: limits.messageBurst }, now);
    this.slowDown(this.#bucket.spend(now));
  }

  /** It sends no more: its tunnels go. What it was sent before is still written, but not for ever. */
  #leave(): void {
    if (this.#leaving !== undefined || this.#isOver) return;
    const { clock, limits } = this.#host;
    this.#leaving = clock.after(limits.stalledMs, () => this.carrier.destroy());
    this.#host.left(this, 'its connection was closed');
    this.outlet.end();
  }
}

function isSame(known: Uint8Array, octets: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at += 1) if (known[at] !== octets[start + at]) return false;
  return true;
}
