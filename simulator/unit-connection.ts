import type { Clock, Timer } from '../base/core/clock.js';
import type { Carrier } from '../base/links/carrier.js';
import { LinkError, ProtocolError, TimeoutError } from '../protocol/errors.js';
import { type Opened, type OpeningStep, UnitOpening } from '../protocol/iotsocket/opening.js';
import { type SessionCrypto, TAG_OCTETS } from '../protocol/iotsocket/proof.js';
import { MAX_UNIT_PAYLOAD, SealedStream } from '../protocol/iotsocket/sealed-stream.js';
import {
  closeCodes,
  emptyTypedPayload,
  type PayloadBlock,
  payloadFormats,
  type Transmission,
} from '../protocol/iotsocket/transmission.js';

/** Each step of the opening (wire/unit.md, "Life of a link"). */
export const STEP_MS = 5_000;
/** Ping after so long without octets from the base; close after so long (reference/limits.md, "Firmware"). */
export const PING_MS = 15_000;
export const SILENCE_MS = 60_000;
/** A transmission must be whole so long after its first octet. */
export const FRAME_MS = 10_000;
/** How long a base may take to close after we said goodbye. */
const GOODBYE_MS = 2_000;
/** Octets the base does not take: past this it is cut. */
const MAX_UNSENT = 64 * 1024;
/** The longest transmission taken: a request with the longest payload, and its tag. */
const MAX_TRANSMISSION = 6 + MAX_UNIT_PAYLOAD + TAG_OCTETS;

interface UnitConnectionEvents {
  /** The base has proved itself: requests may go out. */
  readonly proved: () => void;
  readonly request: (tracking: number, payload: PayloadBlock) => void;
  readonly response: (tracking: number, code: number, payload: PayloadBlock) => void;
  /** Nothing follows. Called exactly once; without an error when the base said goodbye or we did. */
  readonly closed: (error: Error | undefined) => void;
}

export interface UnitConnectionOptions {
  readonly carrier: Carrier;
  readonly uid: string;
  readonly key: Uint8Array;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  /** The whole opening, in ms. */
  readonly openingMs: number;
  readonly events: UnitConnectionEvents;
}

type Phase =
  | { readonly kind: 'opening'; readonly opening: UnitOpening; readonly startedAt: number }
  | { readonly kind: 'proved'; readonly stream: SealedStream }
  | { readonly kind: 'closing' }
  | { readonly kind: 'closed' };

/** The unit's side of one connection: opening with mutual proof, then transmissions with their tags (wire/unit.md). */
export class UnitConnection {
  readonly #options: UnitConnectionOptions;
  #phase: Phase;
  #lastInboundAt: number;
  #pingedAt = Number.NEGATIVE_INFINITY;
  #stepAt: number;
  #watch: Timer | undefined;
  #frame: Timer | undefined;
  #error: Error | undefined;
  #tracking: number;

  constructor(options: UnitConnectionOptions) {
    const { crypto, uid, key, clock } = options;
    const nowMs = clock.monotonic();
    this.#options = options;
    this.#phase = {
      kind: 'opening',
      opening: new UnitOpening({ crypto, uid, key, maxTransmission: MAX_TRANSMISSION }),
      startedAt: nowMs,
    };
    this.#lastInboundAt = nowMs;
    this.#stepAt = nowMs;
    this.#tracking = (crypto.random(1)[0]! << 8) | crypto.random(1)[0]!;
  }

  get remote(): string {
    return this.#options.carrier.remote;
  }
  /** Monotonic moment of the last octets from the base. */
  get lastInboundAt(): number {
    return this.#lastInboundAt;
  }

  /** Takes the carrier and begins the opening. Call once. */
  start(): void {
    this.#options.carrier.attach({
      octets: (chunk) => this.#octets(chunk),
      drained: () => {},
      ended: () => this.#options.carrier.end(),
      closed: (error) => this.#closed(error),
    });
    if (this.#phase.kind === 'opening') this.#options.carrier.write(this.#phase.opening.start());
    this.#arm();
  }

  /** A typed request; gives its tracking number. */
  request(data: Uint8Array): number {
    this.#tracking = (this.#tracking + 1) & 0xffff;
    this.send({ kind: 'request', tracking: this.#tracking, payload: { ...emptyTypedPayload, data } });
    return this.#tracking;
  }

  send(transmission: Transmission): void {
    if (this.#phase.kind !== 'proved') return;
    const { carrier } = this.#options;
    carrier.write(this.#phase.stream.seal(transmission));
    if (carrier.buffered > MAX_UNSENT)
      this.destroy(new LinkError('link-stalled', 'the base does not take what is sent to it'));
  }

  /** Says why, lets it arrive, and closes. `closed` follows with the error, if there is one. */
  close(code: number, error?: Error): void {
    if (this.#phase.kind === 'closing' || this.#phase.kind === 'closed') return;
    this.send({ kind: 'close', code });
    this.#error ??= error;
    this.#leave();
  }

  /** Closes at once, without a word. */
  destroy(error?: Error): void {
    this.#error ??= error;
    this.#options.carrier.destroy();
  }

  #octets(chunk: Uint8Array): void {
    this.#lastInboundAt = this.#options.clock.monotonic();
    if (this.#phase.kind === 'opening') this.#open(this.#phase.opening.push(chunk));
    else if (this.#phase.kind === 'proved') this.#receive(this.#phase.stream, chunk);
  }

  #open(step: OpeningStep): void {
    if (step.send.length > 0) {
      this.#options.carrier.write(step.send);
      this.#stepAt = this.#options.clock.monotonic();
    }
    if (step.kind === 'refused') this.destroy(step.error);
    else if (step.kind === 'opened') this.#enter(step.opened);
  }

  #enter({ sessionKey, rest }: Opened): void {
    const { crypto, events } = this.#options;
    const stream = new SealedStream({ crypto, sessionKey, role: 'unit' });
    this.#phase = { kind: 'proved', stream };
    events.proved();
    if (rest.length > 0 && this.#phase.kind === 'proved') this.#receive(stream, rest);
    this.#arm();
  }

  #receive(stream: SealedStream, chunk: Uint8Array): void {
    let isComplete = false;
    for (const received of stream.open(chunk)) {
      if (received.kind === 'bad') return this.close(closeCodes.protocolError, received.error);
      isComplete = true;
      this.#take(received.transmission);
      if (this.#phase.kind !== 'proved') return;
    }
    if (isComplete || stream.pending === 0) {
      this.#frame?.cancel();
      this.#frame = undefined;
    }
    if (stream.pending > 0)
      this.#frame ??= this.#options.clock.after(FRAME_MS, () =>
        this.close(closeCodes.protocolError, new ProtocolError('frame-too-slow', 'a transmission was not completed')),
      );
  }

  #take(transmission: Transmission): void {
    switch (transmission.kind) {
      case 'ping':
        return this.send({ kind: 'pong' });
      case 'pong':
      case 'telemetryToken':
        return;
      case 'close':
        this.#error ??= closeError(transmission.code);
        return this.#leave();
      case 'request':
        if (transmission.uid === undefined && isTyped(transmission.payload))
          return this.#options.events.request(transmission.tracking, transmission.payload);
        break;
      case 'response':
        if (transmission.uid === undefined)
          return this.#options.events.response(transmission.tracking, transmission.code, transmission.payload);
        break;
      default:
        break;
    }
    this.close(
      closeCodes.protocolError,
      new ProtocolError('frame-malformed', `a base may not send this ${transmission.kind}`),
    );
  }

  #leave(): void {
    this.#phase = { kind: 'closing' };
    this.#options.carrier.end();
    this.#watch?.cancel();
    this.#watch = this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
  }

  #arm(): void {
    this.#watch?.cancel();
    const dueAt =
      this.#phase.kind === 'opening'
        ? Math.min(this.#stepAt + STEP_MS, this.#phase.startedAt + this.#options.openingMs)
        : Math.min(Math.max(this.#pingedAt, this.#lastInboundAt) + PING_MS, this.#lastInboundAt + SILENCE_MS);
    this.#watch = this.#options.clock.after(dueAt - this.#options.clock.monotonic(), () => this.#check());
  }

  #check(): void {
    const nowMs = this.#options.clock.monotonic();
    if (this.#phase.kind === 'opening') {
      if (nowMs - this.#stepAt >= STEP_MS || nowMs - this.#phase.startedAt >= this.#options.openingMs)
        return this.destroy(new TimeoutError('opening-timeout', 'the base did not go on with the opening'));
    } else if (this.#phase.kind === 'proved') {
      const silent = new LinkError('link-silent', `the base was silent for ${SILENCE_MS / 1_000} s`);
      if (nowMs - this.#lastInboundAt >= SILENCE_MS) return this.close(closeCodes.freeingResources, silent);
      if (nowMs - Math.max(this.#pingedAt, this.#lastInboundAt) >= PING_MS) {
        this.#pingedAt = nowMs;
        this.send({ kind: 'ping' });
      }
    } else return;
    this.#arm();
  }

  #closed(error: Error | undefined): void {
    if (this.#phase.kind === 'closed') return;
    const saidGoodbye = this.#phase.kind === 'closing';
    this.#phase = { kind: 'closed' };
    this.#watch?.cancel();
    this.#frame?.cancel();
    const lost = new LinkError('link-lost', error?.message ?? 'the base closed the connection', { cause: error });
    this.#options.events.closed(this.#error ?? (saidGoodbye ? undefined : lost));
  }
}

function isTyped({ format, options, data }: PayloadBlock): boolean {
  return format === payloadFormats.binary && options === 1 && data.length > 0;
}

function closeError(code: number): LinkError | undefined {
  return code === closeCodes.freeingResources || code === closeCodes.maintenance
    ? undefined
    : new LinkError('link-lost', `the base closed with code ${code.toString(16).padStart(2, '0')}`);
}
