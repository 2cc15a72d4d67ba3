import { descriptorOf, fingerprintOctets, type UnitDefinition } from '../../../protocol/definition/index.js';
import { type BaseUnitError, InternalError, LinkError, ProtocolError, TimeoutError } from '../../../protocol/errors.js';
import { BaseOpening, type Opened } from '../../../protocol/iotsocket/opening.js';
import { type SessionCrypto, TAG_OCTETS } from '../../../protocol/iotsocket/proof.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import {
  closeCodes,
  emptyPayload,
  encodeTransmission,
  type PayloadBlock,
  payloadFormats,
  returnCodes,
  type Transmission,
} from '../../../protocol/iotsocket/transmission.js';
import { toHex } from '../../../protocol/octets.js';
import {
  decodeHello,
  encodeHelloAnswer,
  encodeNextBoot,
  type Hello,
  systemNumbers,
} from '../../../protocol/unit/system-messages.js';
import type { Clock, Timer } from '../../core/clock.js';
import { type Deferred, deferred } from '../../core/deferred.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { TokenBucket } from '../../core/token-bucket.js';
import type { HelloInput, HelloVerdict } from '../../core/unit-events.js';
import type { Carrier } from '../../links/carrier.js';
import { GOODBYE_MS, type LinkEvents, type LinkSession } from '../../links/link-session.js';
import { deliverCommand } from './commands.js';
import { describeUnit } from './describe.js';
import { type UnitReports, Unsettled } from './reports.js';

/** Each step of the opening (reference/limits.md, "TCP pre-auth"). */
export const STEP_MS = 5_000;
/** A transmission must be complete so long after its first octet. */
export const FRAME_MS = 10_000;
/** Transmissions of one unit: so many a second, with a burst. */
export const UNIT_RATE = { perSecond: 50, burst: 200 } as const;
/** Octets a unit does not take: past this it is cut. */
export const MAX_UNSENT = 256 * 1024;
/** Reports taken and not yet answered: more than a unit's whole ring are not needed. */
const MAX_REPORTS_UNDER_WAY = 64;
/** Requests of ours without an answer; numbers are free again after so many more. */
const TRACKING_NUMBERS = 0x1_0000;

/** What the session needs to know of the unit that has proved itself. */
export interface UnitProfile {
  readonly uid: string;
  readonly definition: UnitDefinition;
}

export interface UnitSessionOptions {
  readonly carrier: Carrier;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  /** The key of a unit, or `undefined` when it is not to be served over this carrier. */
  readonly keyOf: (uid: string) => Uint8Array | undefined;
  /** Called when the unit has proved itself: who is it to us, and who hears of its link? */
  readonly identified: (uid: string) => UnitProfile;
  readonly events: LinkEvents;
  readonly hello: (hello: HelloInput) => HelloVerdict;
  /** The unit runs another definition than we believe; empty: it does not. */
  readonly drift: (profile: UnitProfile, hello: Hello, differences: readonly string[]) => void;
  readonly reports: UnitReports;
  /** A transmission or a value of the unit was refused. */
  readonly refused: (uid: string, error: ProtocolError) => void;
}

type Phase =
  | { readonly kind: 'opening'; readonly opening: BaseOpening }
  /** Proved; nothing but ping, pong and the hello may pass. */
  | { readonly kind: 'hello'; readonly stream: SealedStream; readonly profile: UnitProfile }
  | { readonly kind: 'open'; readonly stream: SealedStream; readonly profile: UnitProfile; readonly hello: Hello }
  | { readonly kind: 'ended' };

export interface UnitResponse {
  readonly code: number;
  readonly payload: PayloadBlock;
}

/**
 * The base's side of a session with a typed unit, from the first octet to the last (wire/unit.md). Whoever connected, the
 * unit speaks first. One object a carrier.
 */
export class UnitSession implements LinkSession {
  readonly #options: UnitSessionOptions;
  readonly #opened: Deferred<LinkSession> = deferred();
  readonly #identified: Deferred<UnitProfile> = deferred();
  readonly #answers = new Map<number, Deferred<UnitResponse>>();
  readonly #rate: TokenBucket;
  #phase: Phase;
  #step: Timer | undefined;
  #frame: Timer | undefined;
  #goodbye: Timer | undefined;
  #error: Error | undefined;
  #maxTransmission = 0;
  #tracking: number;
  /** Our numbers of the messages that both definitions have alike; `undefined`: not known yet. */
  #equal: ReadonlySet<number> | 'all' | undefined;
  #reportsUnderWay = 0;

  constructor(options: UnitSessionOptions) {
    this.#options = options;
    this.#phase = { kind: 'opening', opening: new BaseOpening({ crypto: options.crypto, keyOf: options.keyOf }) };
    this.#rate = new TokenBucket(UNIT_RATE, options.clock.monotonic());
    this.#tracking = (options.crypto.random(2)[0]! << 8) | options.crypto.random(1)[0]!;
  }

  /** Resolves when the unit has proved itself, before its hello. */
  get identified(): Promise<UnitProfile> {
    return this.#identified.promise;
  }

  get life(): string {
    return this.#phase.kind === 'open' ? `${this.#phase.hello.boot}/${this.#phase.hello.nonce}` : '';
  }

  get isBusy(): boolean {
    return this.#answers.size > 0 || this.#reportsUnderWay > 0 || this.#frame !== undefined;
  }

  /** Takes the carrier. Resolves when commands may be delivered; rejects with what went wrong. */
  start(signal: AbortSignal): Promise<LinkSession> {
    this.#nextStep('the unit did not begin the opening');
    this.#options.carrier.attach({
      octets: (chunk) => this.#octets(chunk),
      drained: () => {},
      ended: () => this.#options.carrier.end(),
      closed: (error) => this.#closed(error),
    });
    const abort = (): void => this.fail(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return this.#opened.promise.finally(() => signal.removeEventListener('abort', abort));
  }

  deliver(delivery: Delivery): Promise<DeliveryResult> {
    if (this.#phase.kind !== 'open') return Promise.reject(new LinkError('link-lost', 'the link is closed'));
    return deliverCommand(this.#phase.profile.definition, delivery, {
      equal: this.#equal ?? 'all',
      request: (data, timeoutMs) => this.request(data, timeoutMs),
      fits: (data) => this.#maxTransmission === 0 || requestOctets(data) <= this.#maxTransmission,
    });
  }

  /** A request of ours; resolves with the unit's answer. Rejects with TimeoutError or LinkError. */
  request(data: Uint8Array, timeoutMs: number): Promise<UnitResponse> {
    const tracking = this.#freeTracking();
    const answer = deferred<UnitResponse>();
    this.#answers.set(tracking, answer);
    const late = this.#options.clock.after(timeoutMs, () =>
      answer.reject(new TimeoutError('command-timeout', `no answer within ${timeoutMs / 1_000} s`)),
    );
    this.#send({ kind: 'request', tracking, payload: { format: payloadFormats.binary, options: 1, data } });
    return answer.promise.finally(() => {
      late.cancel();
      this.#answers.delete(tracking);
    });
  }

  ping(): void {
    this.#send({ kind: 'ping' });
  }

  close(why: 'idle' | 'stopping' | 'replaced'): void {
    if (this.#phase.kind === 'ended' || this.#goodbye !== undefined) return;
    this.#send({ kind: 'close', code: why === 'stopping' ? closeCodes.maintenance : closeCodes.freeingResources });
    this.#options.carrier.end();
    this.#goodbye = this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
  }

  fail(error: Error): void {
    if (this.#phase.kind === 'ended') return;
    this.#error ??= error;
    this.#options.carrier.destroy();
  }

  #octets(chunk: Uint8Array): void {
    this.#options.events.inbound();
    if (this.#error !== undefined) return;
    try {
      if (this.#phase.kind === 'opening') this.#open(this.#phase.opening, chunk);
      else if (this.#phase.kind !== 'ended') this.#receive(this.#phase.stream, chunk);
    } catch (error) {
      this.#refuse(
        error instanceof ProtocolError
          ? error
          : new InternalError('internal', `a session failed: ${(error as Error).message}`, { cause: error }),
      );
    }
  }

  #open(opening: BaseOpening, chunk: Uint8Array): void {
    const step = opening.push(chunk);
    if (step.send.length > 0) {
      this.#options.carrier.write(step.send);
      this.#nextStep('the unit did not go on with the opening');
    }
    if (step.kind === 'refused') {
      this.#error = step.error;
      this.#options.carrier.end();
      this.#goodbye ??= this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
    } else if (step.kind === 'opened') this.#enter(step.opened);
  }

  #enter({ uid, sessionKey, maxTransmission }: Opened): void {
    const profile = this.#options.identified(uid);
    this.#maxTransmission = maxTransmission;
    this.#phase = {
      kind: 'hello',
      profile,
      stream: new SealedStream({ crypto: this.#options.crypto, sessionKey, role: 'base' }),
    };
    this.#identified.resolve(profile);
    this.#nextStep('the unit did not say hello');
  }

  #receive(stream: SealedStream, chunk: Uint8Array): void {
    let isComplete = false;
    for (const received of stream.open(chunk)) {
      if (received.kind === 'bad') return this.#refuse(received.error);
      if (!this.#rate.take(this.#options.clock.monotonic())) {
        return this.#end(
          closeCodes.tooMuchLoad,
          new InternalError('bound-reached', `the unit sends more than ${UNIT_RATE.perSecond} transmissions a second`),
        );
      }
      isComplete = true;
      this.#take(received.transmission);
      if (this.#error !== undefined) return;
    }
    if (isComplete || stream.pending === 0) {
      this.#frame?.cancel();
      this.#frame = undefined;
    }
    if (stream.pending > 0) {
      this.#frame ??= this.#options.clock.after(FRAME_MS, () =>
        this.fail(new ProtocolError('frame-too-slow', `a transmission was not complete within ${FRAME_MS / 1_000} s`)),
      );
    }
  }

  #take(transmission: Transmission): void {
    switch (transmission.kind) {
      case 'ping':
        return this.#send({ kind: 'pong' });
      case 'pong':
        return;
      case 'close':
        return this.#closedByUnit(transmission.code);
      case 'response':
        if (transmission.uid !== undefined) throw new ProtocolError('frame-malformed', 'a unit may not name a UID');
        this.#answers.get(transmission.tracking)?.resolve({
          code: transmission.code,
          payload: { ...transmission.payload, data: transmission.payload.data.slice() },
        });
        return;
      case 'request':
        if (transmission.uid !== undefined) throw new ProtocolError('frame-malformed', 'a unit may not name a UID');
        return this.#request(transmission.tracking, transmission.payload);
      default:
        throw new ProtocolError('frame-malformed', `a unit may not send ${transmission.kind}`);
    }
  }

  #request(tracking: number, payload: PayloadBlock): void {
    if (payload.format !== payloadFormats.binary || payload.options !== 1 || payload.data.length === 0) {
      throw new ProtocolError('frame-malformed', 'a request without a typed message');
    }
    const isHello = payload.data[0] === systemNumbers.hello;
    if (this.#phase.kind === 'hello') {
      if (!isHello) throw new ProtocolError('hello-malformed', 'the first request of a session must be the hello');
      return this.#hello(this.#phase, tracking, payload.data);
    }
    if (this.#phase.kind !== 'open') return;
    if (isHello) throw new ProtocolError('hello-malformed', 'a second hello in one session');
    if (this.#equal === undefined || this.#reportsUnderWay >= MAX_REPORTS_UNDER_WAY) {
      return this.#answer(tracking, returnCodes.noDestination);
    }
    const { profile, hello } = this.#phase;
    this.#reportsUnderWay += 1;
    void this.#options.reports
      .take(profile, hello.boot, payload.data, this.#equal)
      .catch((error: unknown) =>
        error instanceof Unsettled ? error.code : this.#refuseReport(profile, error as BaseUnitError),
      )
      .then((code) => {
        this.#reportsUnderWay -= 1;
        this.#answer(tracking, code);
      });
  }

  #refuseReport(profile: UnitProfile, error: Error): number {
    this.#options.refused(
      profile.uid,
      error instanceof ProtocolError ? error : new ProtocolError('value-refused', error.message, { cause: error }),
    );
    return returnCodes.notValid;
  }

  #hello(phase: Extract<Phase, { kind: 'hello' }>, tracking: number, data: Uint8Array): void {
    const { uid, definition } = phase.profile;
    const hello = decodeHello(data);
    if (hello.definition !== definition.name) {
      const error = new ProtocolError(
        'definition-unexpected',
        `${uid} runs ${JSON.stringify(hello.definition)}; ${definition.name} is configured for it`,
      );
      this.#answer(tracking, returnCodes.notValid, {
        format: payloadFormats.utf8,
        options: 0,
        data: new TextEncoder().encode('another definition is configured'),
      });
      return this.#end(closeCodes.protocolError, error);
    }
    const verdict = this.#options.hello({ uid, boot: hello.boot, nonce: hello.nonce, version: hello.version });
    if (verdict.kind === 'next-boot') {
      this.#nextStep('the unit did not say hello again');
      return this.#answer(tracking, returnCodes.notValid, { ...emptyPayload, data: encodeNextBoot(verdict.boot) });
    }
    const ours = fingerprintOctets(descriptorOf(definition));
    this.#phase = { kind: 'open', stream: phase.stream, profile: phase.profile, hello };
    this.#answer(tracking, returnCodes.valid, {
      ...emptyPayload,
      data: encodeHelloAnswer({
        fingerprint: ours,
        timeMs: Math.max(0, Math.round(this.#options.clock.now())),
        acknowledged: verdict.acknowledged,
        waiting: verdict.waiting,
        udpPort: 0,
      }),
    });
    if (toHex(hello.fingerprint) === toHex(ours)) return this.#ready('all', hello, []);
    this.#nextStep('the unit did not describe itself');
    void describeUnit((request) => this.request(request, STEP_MS), definition).then(
      ({ equal, differences }) => this.#ready(equal, hello, differences),
      (error: Error) => this.fail(error),
    );
  }

  #ready(equal: ReadonlySet<number> | 'all', hello: Hello, differences: readonly string[]): void {
    if (this.#phase.kind !== 'open') return;
    this.#equal = equal;
    this.#step?.cancel();
    this.#options.drift(this.#phase.profile, hello, differences);
    this.#opened.resolve(this);
  }

  #answer(tracking: number, code: number, payload: PayloadBlock = emptyPayload): void {
    this.#send({ kind: 'response', tracking, code, payload });
  }

  #send(transmission: Transmission): void {
    if (this.#phase.kind === 'ended' || this.#phase.kind === 'opening' || this.#goodbye !== undefined) return;
    const { carrier } = this.#options;
    carrier.write(this.#phase.stream.seal(transmission));
    if (carrier.buffered > MAX_UNSENT)
      this.fail(new LinkError('link-stalled', 'the unit does not take what is sent to it'));
  }

  /** The unit broke the protocol: close `00`, then close. */
  #refuse(error: Error): void {
    if (this.#phase.kind === 'hello' || this.#phase.kind === 'open') {
      if (error instanceof ProtocolError) this.#options.refused(this.#phase.profile.uid, error);
      this.#end(error instanceof ProtocolError ? closeCodes.protocolError : closeCodes.internalError, error);
    } else this.fail(error);
  }

  #end(code: number, error: Error): void {
    this.#send({ kind: 'close', code });
    this.#error = error;
    this.#options.carrier.end();
    this.#goodbye ??= this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
  }

  #closedByUnit(code: number): void {
    const isOrderly =
      code === closeCodes.freeingResources || code === closeCodes.maintenance || code === closeCodes.sleep;
    if (code === closeCodes.tooMuchLoad) this.#error ??= new LinkError('link-busy', 'another base holds the unit');
    else if (!isOrderly)
      this.#error ??= new ProtocolError(
        'closed-by-unit',
        `the unit closed with code ${code.toString(16).padStart(2, '0')}`,
      );
    else if (this.#goodbye === undefined)
      this.#error ??= new LinkError(
        'link-lost',
        code === closeCodes.sleep ? 'the unit sleeps' : 'the unit closed the link',
      );
    this.#options.carrier.end();
    this.#goodbye ??= this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
  }

  #closed(error: Error | undefined): void {
    if (this.#phase.kind === 'ended') return;
    const wasOpening = this.#phase.kind !== 'open' || this.#equal === undefined;
    const saidGoodbye = this.#goodbye !== undefined && this.#error === undefined;
    this.#phase = { kind: 'ended' };
    for (const timer of [this.#step, this.#frame, this.#goodbye]) timer?.cancel();
    const lost =
      this.#error ??
      new LinkError(
        'link-lost',
        error === undefined ? 'the unit closed the connection' : `the connection broke: ${error.message}`,
        { cause: error },
      );
    for (const answer of this.#answers.values())
      answer.reject(lost instanceof LinkError ? lost : new LinkError('link-lost', lost.message, { cause: lost }));
    this.#identified.reject(lost);
    if (wasOpening) this.#opened.reject(lost);
    this.#options.events.closed(saidGoodbye ? undefined : lost);
  }

  #nextStep(what: string): void {
    this.#step?.cancel();
    this.#step = this.#options.clock.after(STEP_MS, () =>
      this.fail(new TimeoutError('opening-timeout', `${what} within ${STEP_MS / 1_000} s`)),
    );
  }

  #freeTracking(): number {
    do this.#tracking = (this.#tracking + 1) % TRACKING_NUMBERS;
    while (this.#answers.has(this.#tracking));
    return this.#tracking;
  }
}

function requestOctets(data: Uint8Array): number {
  return encodeTransmission({ kind: 'request', tracking: 0, payload: { ...emptyPayload, data } }).length + TAG_OCTETS;
}
