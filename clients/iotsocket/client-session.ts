import { assertNever, BaseUnitError, LinkError, ProtocolError, TimeoutError } from '../../protocol/errors.js';
import { ClientOpening, type ClientOpeningStep } from '../../protocol/iotsocket/client-opening.js';
import {
  closeCodes,
  decodeTransmission,
  encodeTransmission,
  type Transmission,
} from '../../protocol/iotsocket/transmission.js';
import { OctetQueue } from '../../protocol/octet-queue.js';
import { concat } from '../../protocol/octets.js';
import type { OctetStream, StreamAddresses } from './octet-stream.js';
import type { ClientPlatform } from './platform.js';

/** Each step of the opening, the TLS handshake, and all of it (reference/limits.md, "TCP pre-auth"). */
export const STEP_MS = 5_000;
export const TLS_MS = 15_000;
export const OPENING_MS = 20_000;
/** A transmission must be whole so long after its first octet. */
export const TRANSMISSION_MS = 10_000;
/** Octets that wait to be sent: past the first, requests wait; past the second the concentrator does not read, and is left. */
export const HIGH_WATER_OCTETS = 256 * 1024;
export const MAX_UNSENT_OCTETS = 4 * 1024 * 1024;
/** A concentrator that takes nothing for so long is left as well. */
export const STALLED_MS = 30_000;
/** How long it may take to close after we said goodbye. */
const GOODBYE_MS = 2_000;
const MAX_PAYLOAD = 65_535;

/** What both kinds of client may receive, besides ping, pong and close. */
export type Received = Extract<
  Transmission,
  { readonly kind: 'request' | 'response' | 'telemetryToken' | 'identifiedTelemetry' }
>;

/** How a session ended. `code`: of the close transmission, theirs or ours; without one it dropped. */
export interface SessionEnd {
  readonly code: number | undefined;
  readonly error: Error | undefined;
}

export interface SessionEvents {
  /** The login was right. What came behind it follows. */
  readonly opened: () => void;
  /** Connect there instead; this connection closes. */
  readonly redirected: (to: { readonly host: string; readonly port: number }) => void;
  readonly received: (transmission: Received) => void;
  /** There is room again for what waits. */
  readonly drained: () => void;
  /** Nothing follows. Called exactly once. */
  readonly closed: (end: SessionEnd) => void;
}

export interface SessionSettings {
  /** Empty: the central. */
  readonly uid: string;
  readonly key: Uint8Array;
  readonly version: 0 | 1;
  /** TLS begins after the answer to the initiation. */
  readonly asksTls: boolean;
  readonly maxTransmission: number;
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
}

export interface ClientSessionOptions extends SessionSettings {
  readonly stream: OctetStream;
  readonly platform: ClientPlatform;
  readonly events: SessionEvents;
}

type State = 'opening' | 'tls' | 'confirming' | 'open' | 'closing' | 'closed';

/** One connection of an object or a central: the opening, then transmissions, pings and an end. */
export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #opening: ClientOpening;
  readonly #queue = new OctetQueue();
  #state: State = 'opening';
  readonly #startedAt: number;
  #stepAt: number;
  #heardAt: number;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #partialSince: number | undefined;
  #stalledSince: number | undefined;
  #watch: { cancel(): void } | undefined;
  #out: Uint8Array[] = [];
  #outOctets = 0;
  #pongs: (() => void)[] = [];
  #code: number | undefined;
  #error: Error | undefined;

  constructor(options: ClientSessionOptions) {
    const { platform, uid, key, version, asksTls, maxTransmission } = options;
    this.#options = options;
    this.#opening = new ClientOpening({ crypto: platform.crypto, uid, key, version, tls: asksTls, maxTransmission });
    this.#startedAt = platform.clock.monotonic();
    this.#stepAt = this.#startedAt;
    this.#heardAt = this.#startedAt;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }
  get remote(): string {
    return this.#options.stream.remote;
  }
  get addresses(): StreamAddresses | undefined {
    return this.#options.stream.addresses;
  }
  /** More than the high water waits to be sent. */
  get isFull(): boolean {
    return this.#outOctets + this.#options.stream.unsent >= HIGH_WATER_OCTETS;
  }

  /** Takes the stream and begins the opening. Call once. */
  start(): void {
    const { stream } = this.#options;
    stream.attach({
      octets: (chunk) => this.#octets(chunk),
      drained: () => this.#drained(),
      secured: () => this.#secured(),
      closed: (error) => this.#closed(error),
    });
    stream.write(this.#opening.start());
    this.#arm();
  }

  /** Goes out with all else that this turn of the event loop sends, in one write. Nothing is sent unless the session is open. */
  send(transmission: Transmission): void {
    if (this.#state === 'open' || this.#state === 'confirming') this.#put(encodeTransmission(transmission));
  }

  /** As {@link send}, for octets that are a transmission already. */
  sendOctets(octets: Uint8Array): void {
    if (this.#state === 'open') this.#put(octets);
  }

  /** Sends a ping behind everything else; calls when it is answered. */
  ping(answered: () => void = () => {}): void {
    this.#pingedAt = this.#options.platform.clock.monotonic();
    this.#pongs.push(answered);
    this.send({ kind: 'ping' });
  }

  /** Says why, lets it arrive, and closes. `closed` follows, with the error if there is one. */
  close(code: number, error?: Error): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    if (this.#state !== 'open' && this.#state !== 'confirming') return this.destroy(error);
    this.send({ kind: 'close', code });
    this.#code ??= code;
    this.#error ??= error;
    this.#leave();
  }

  /** Closes at once, without a word. What comes still, as in the same read, is not looked at. */
  destroy(error?: Error): void {
    if (this.#state === 'closed') return;
    if (this.#state !== 'closing') this.#error ??= error ?? lost(this.#state, undefined);
    this.#state = 'closing';
    this.#options.stream.destroy();
  }

  #put(octets: Uint8Array): void {
    if (this.#out.length === 0) setImmediate(() => this.#flush());
    this.#out.push(octets);
    this.#outOctets += octets.length;
    if (this.#outOctets + this.#options.stream.unsent > MAX_UNSENT_OCTETS)
      this.destroy(new LinkError('link-stalled', 'the concentrator does not take what is sent to it'));
  }

  #flush(): void {
    if (this.#out.length === 0) return;
    const octets = this.#out.length === 1 ? this.#out[0]! : concat(...this.#out);
    this.#out = [];
    this.#outOctets = 0;
    if (this.#options.stream.write(octets)) return this.#drained();
    if (this.#stalledSince !== undefined || this.#state === 'closed') return;
    this.#stalledSince = this.#options.platform.clock.monotonic();
    this.#arm();
  }

  #drained(): void {
    this.#stalledSince = undefined;
    if (this.#state === 'open') this.#options.events.drained();
  }

  #secured(): void {
    if (this.#state !== 'tls') return;
    this.#state = 'opening';
    this.#stepAt = this.#options.platform.clock.monotonic();
    this.#arm();
  }

  #octets(chunk: Uint8Array): void {
    this.#heardAt = this.#options.platform.clock.monotonic();
    if (this.#state === 'opening') this.#take(this.#opening.push(chunk));
    else if (this.#state === 'open' || this.#state === 'confirming') this.#read(chunk);
  }

  #take(step: ClientOpeningStep): void {
    const { stream, events, platform, version } = this.#options;
    this.#stepAt = platform.clock.monotonic();
    switch (step.kind) {
      case 'more':
        if (step.send.length > 0) stream.write(step.send);
        break;
      case 'startTls':
        this.#state = 'tls';
        stream.startTls();
        break;
      case 'redirected':
        this.#state = 'closing';
        events.redirected(step);
        return stream.destroy();
      case 'refused':
        return this.destroy(step.error);
      case 'opened':
        this.#state = 'confirming';
        if (version === 1) this.#open();
        else {
          // Draft v0.07 does not say that the login was right. Whoever answers a ping has taken it.
          this.#put(step.send);
          this.ping();
          this.#flush();
        }
        if (step.rest.length > 0 && this.isOpen) this.#read(step.rest);
        break;
    }
    this.#arm();
  }

  #open(): void {
    this.#state = 'open';
    this.#options.events.opened();
    this.#arm();
  }

  #read(chunk: Uint8Array): void {
    const { maxTransmission, platform } = this.#options;
    const most = maxTransmission === 0 ? Number.POSITIVE_INFINITY : maxTransmission;
    let isComplete = false;
    this.#queue.push(chunk);
    while (this.#queue.length > 0) {
      const result = decodeTransmission(this.#queue.peek(), { maxPayload: Math.min(MAX_PAYLOAD, most) });
      if (result.kind === 'more') break;
      if (result.kind === 'bad') return this.close(closeCodes.protocolError, result.error);
      if (result.used > most)
        return this.close(
          closeCodes.protocolError,
          new ProtocolError('frame-too-long', `a transmission of ${result.used} octets came; we take ${most}`),
        );
      isComplete = true;
      this.#queue.consume(result.used);
      this.#receive(result.value);
      if (this.#state !== 'open') return;
    }
    this.#queue.settle();
    if (this.#queue.length === 0) this.#partialSince = undefined;
    else if (isComplete || this.#partialSince === undefined) {
      this.#partialSince = platform.clock.monotonic();
      this.#arm();
    }
  }

  #receive(transmission: Transmission): void {
    if (transmission.kind === 'close') {
      this.#code = transmission.code;
      if (this.#state === 'confirming') this.#error = closedEarly(transmission.code);
      return this.#leave();
    }
    if (this.#state === 'confirming') this.#open();
    switch (transmission.kind) {
      case 'ping':
        return this.send({ kind: 'pong' });
      case 'pong':
        return this.#pongs.shift()?.();
      default:
        if (isAllowed(transmission, this.#options.uid === '')) return this.#options.events.received(transmission);
        this.close(
          closeCodes.protocolError,
          new ProtocolError('frame-malformed', `a concentrator may not send us this ${transmission.kind}`),
        );
    }
  }

  #leave(): void {
    this.#state = 'closing';
    this.#flush();
    this.#options.stream.end();
    this.#watch?.cancel();
    this.#watch = this.#options.platform.clock.after(GOODBYE_MS, () => this.#options.stream.destroy());
  }

  /** When something is to be done unless more happens before. */
  #dueAt(): number {
    if (this.#state === 'tls') return Math.min(this.#stepAt + TLS_MS, this.#startedAt + OPENING_MS);
    if (this.#state !== 'open') return Math.min(this.#stepAt + STEP_MS, this.#startedAt + OPENING_MS);
    const { pingAfterMs, deadAfterMs } = this.#options;
    return Math.min(
      Math.max(this.#pingedAt, this.#heardAt) + pingAfterMs,
      this.#heardAt + deadAfterMs,
      (this.#partialSince ?? Number.POSITIVE_INFINITY) + TRANSMISSION_MS,
      (this.#stalledSince ?? Number.POSITIVE_INFINITY) + STALLED_MS,
    );
  }

  #arm(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    const { clock } = this.#options.platform;
    this.#watch?.cancel();
    this.#watch = clock.after(Math.max(1, this.#dueAt() - clock.monotonic()), () => this.#check());
  }

  #check(): void {
    const nowMs = this.#options.platform.clock.monotonic();
    const { pingAfterMs, deadAfterMs } = this.#options;
    if (this.#state !== 'open') {
      if (nowMs >= this.#dueAt())
        return this.destroy(new TimeoutError('opening-timeout', 'the concentrator did not go on with the opening'));
    } else if (nowMs - this.#heardAt >= deadAfterMs)
      return this.close(closeCodes.freeingResources, silent(deadAfterMs));
    else if (this.#partialSince !== undefined && nowMs - this.#partialSince >= TRANSMISSION_MS)
      return this.close(
        closeCodes.protocolError,
        new ProtocolError('frame-too-slow', `a transmission was not complete within ${TRANSMISSION_MS / 1_000} s`),
      );
    else if (this.#stalledSince !== undefined && nowMs - this.#stalledSince >= STALLED_MS)
      return this.destroy(new LinkError('link-stalled', `the concentrator took nothing for ${STALLED_MS / 1_000} s`));
    else if (nowMs - Math.max(this.#pingedAt, this.#heardAt) >= pingAfterMs) this.ping();
    this.#arm();
  }

  #closed(failure: Error | undefined): void {
    if (this.#state === 'closed') return;
    const state = this.#state;
    this.#state = 'closed';
    this.#watch?.cancel();
    this.#out = [];
    this.#outOctets = 0;
    this.#pongs = [];
    const error = this.#error ?? (state === 'closing' ? undefined : lost(state, failure));
    this.#options.events.closed({ code: this.#code, error });
  }
}

/** Objects are known by their session; only the central is told UIDs. */
function isAllowed(transmission: Received, isCentral: boolean): boolean {
  switch (transmission.kind) {
    case 'request':
    case 'response':
      return isCentral ? (transmission.uid ?? '') !== '' : transmission.uid === undefined;
    case 'telemetryToken':
      return !isCentral;
    case 'identifiedTelemetry':
      return isCentral && transmission.uid !== '';
    default:
      return assertNever(transmission);
  }
}

function lost(state: State, failure: Error | undefined): Error {
  if (failure instanceof BaseUnitError) return failure;
  if (state === 'confirming')
    return new ProtocolError('proof-refused', 'the concentrator closed after the login: UID or key is wrong there', {
      cause: failure,
    });
  const what = failure?.message ?? 'the concentrator closed the connection';
  return state === 'open'
    ? new LinkError('link-lost', what, { cause: failure })
    : new LinkError('connect-failed', state === 'tls' ? `TLS failed: ${what}` : `${what} during the opening`, {
        cause: failure,
      });
}

const silent = (ms: number): LinkError =>
  new LinkError('link-silent', `nothing was heard from the concentrator for ${ms / 1_000} s`);
const closedEarly = (code: number): LinkError =>
  new LinkError('connect-failed', `the concentrator closed with code ${code.toString(16).padStart(2, '0')}`);
