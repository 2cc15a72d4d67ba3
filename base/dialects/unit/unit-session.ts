import { InternalError, LinkError, ProtocolError, TimeoutError } from '../../../protocol/errors.js';
import { BaseOpening, type Opened } from '../../../protocol/iotsocket/opening.js';
import { TAG_OCTETS } from '../../../protocol/iotsocket/proof.js';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import {
  closeCodes,
  emptyTypedPayload,
  encodeTransmission,
  type PayloadBlock,
  payloadFormats,
  returnCodes,
  type Transmission,
} from '../../../protocol/iotsocket/transmission.js';
import { type Hello, systemNumbers } from '../../../protocol/unit/system-messages.js';
import type { Timer } from '../../core/clock.js';
import type { Connection } from '../../core/connection.js';
import { type Deferred, deferred } from '../../core/deferred.js';
import type { Delivery, DeliveryResult } from '../../core/delivery.js';
import { GOODBYE_MS, type LinkSession } from '../../links/link-session.js';
import { closeError } from './close-error.js';
import { deliverCommand } from './commands.js';
import { describeUnit } from './describe.js';
import { greet, type UnitProfile } from './greeting.js';
import { InboundBounds } from './inbound-bounds.js';
import { OwnRequests } from './own-requests.js';
import type { UnitSessionOptions } from './unit-session-options.js';

/** Each step of the opening (reference/limits.md, "TCP pre-auth"). */
const STEP_MS = 5_000;
/** The whole opening, from the connection to the answered hello. */
const OPENING_MS = 20_000;
/** Octets a unit does not take: past this it is cut (reference/limits.md, "Per-link write buffer"). */
const MAX_UNSENT = 256 * 1024;
/** A unit that takes nothing for so long is cut as well (reference/limits.md, "Per-link write buffer"). */
const STALLED_MS = 30_000;
/** Reports taken and not yet answered; a unit has one under way, so more are not sent by ours. */
const MAX_REPORTS_UNDER_WAY = 64;

const nothing = new Uint8Array(0);

type Phase =
  | { readonly kind: 'opening'; readonly opening: BaseOpening }
  /** Proved; nothing but ping, pong and the hello may pass. */
  | { readonly kind: 'hello'; readonly stream: SealedStream; readonly profile: UnitProfile }
  | { readonly kind: 'open'; readonly stream: SealedStream; readonly profile: UnitProfile; readonly hello: Hello }
  | { readonly kind: 'ended' };

/**
 * The base's side of a session with a typed unit, from the first octet to the last (wire/unit.md). Whoever connected, the
 * unit speaks first. One object a carrier.
 */
export class UnitSession implements LinkSession {
  readonly #options: UnitSessionOptions;
  readonly #opened: Deferred<LinkSession> = deferred();
  readonly #identified: Deferred<UnitProfile> = deferred();
  readonly #requests: OwnRequests;
  readonly #bounds: InboundBounds;
  #phase: Phase;
  #life = '';
  #step: Timer | undefined;
  #stall: Timer | undefined;
  #whole: Timer | undefined;
  #goodbye: Timer | undefined;
  #error: Error | undefined;
  #maxTransmission = 0;
  /** Our numbers of the messages that both definitions have alike; `undefined`: not known yet. */
  #equal: ReadonlySet<number> | 'all' | undefined;
  #reportsUnderWay = 0;
  #connection: Connection | undefined;

  constructor(options: UnitSessionOptions) {
    this.#options = options;
    this.#phase = { kind: 'opening', opening: new BaseOpening({ crypto: options.crypto, keyOf: options.keyOf }) };
    const [high, low] = options.crypto.random(2);
    this.#requests = new OwnRequests(options.clock, (high! << 8) | low!);
    this.#bounds = new InboundBounds({
      clock: options.clock,
      pause: () => options.carrier.pause(),
      resume: () => {
        options.carrier.resume();
        // What was read before the pause and not looked at.
        this.#octets(nothing);
      },
      tooSlow: (error) => this.fail(error),
    });
  }

  /** Resolves when the unit has proved itself, before its hello. */
  get identified(): Promise<UnitProfile> {
    return this.#identified.promise;
  }

  get life(): string {
    return this.#life;
  }

  get isBusy(): boolean {
    return this.#requests.size > 0 || this.#reportsUnderWay > 0 || this.#bounds.isMidFrame;
  }

  get isClosing(): boolean {
    return this.#phase.kind === 'ended' || this.#goodbye !== undefined || this.#error !== undefined;
  }

  /** Takes the carrier. Resolves when commands may be delivered; rejects with what went wrong, within {@link OPENING_MS}. */
  start(signal: AbortSignal): Promise<LinkSession> {
    this.#nextStep('the unit did not begin the opening');
    this.#whole = this.#options.clock.after(OPENING_MS, () =>
      this.fail(new TimeoutError('opening-timeout', `the opening was not over within ${OPENING_MS / 1_000} s`)),
    );
    this.#options.carrier.attach({
      octets: (chunk) => this.#octets(chunk),
      drained: () => this.#drained(),
      ended: () => this.#options.carrier.end(),
      closed: (error) => this.#closed(error),
    });
    const abort = (): void => this.fail(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return this.#opened.promise.finally(() => signal.removeEventListener('abort', abort));
  }

  deliver(delivery: Delivery): Promise<DeliveryResult> {
    if (this.#phase.kind !== 'open' || this.isClosing)
      return Promise.reject(new LinkError('link-lost', 'the link is closed'));
    return deliverCommand(this.#phase.profile.definition, delivery, {
      equal: this.#equal ?? 'all',
      request: (data, timeoutMs) => this.#request(data, timeoutMs),
      fits: (data) => this.#fits({ kind: 'request', tracking: 0, payload: { ...emptyTypedPayload, data } }),
    });
  }

  ping(): void {
    this.#send({ kind: 'ping' });
  }

  close(why: 'idle' | 'stopping' | 'replaced'): void {
    if (this.isClosing) return;
    this.#send({ kind: 'close', code: why === 'stopping' ? closeCodes.maintenance : closeCodes.freeingResources });
    this.#leave();
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
      this.#leave();
    } else if (step.kind === 'opened') this.#enter(step.opened);
  }

  #enter({ uid, sessionKey, maxTransmission }: Opened): void {
    const profile = this.#options.identified(uid);
    this.#maxTransmission = maxTransmission;
    const stream = new SealedStream({ crypto: this.#options.crypto, sessionKey, role: 'base' });
    this.#phase = { kind: 'hello', profile, stream };
    this.#identified.resolve(profile);
    this.#nextStep('the unit did not say hello');
  }

  #receive(stream: SealedStream, chunk: Uint8Array): void {
    for (const received of stream.open(chunk)) {
      if (received.kind === 'bad') return this.#refuse(received.error);
      const { transmission } = received;
      const isAnswer = transmission.kind === 'response' && this.#requests.expects(transmission.tracking);
      const mayReadOn = this.#bounds.completed(isAnswer);
      this.#take(transmission);
      if (this.#error !== undefined || !mayReadOn) return;
    }
    this.#bounds.leftOver(stream.pending);
  }

  #take(transmission: Transmission): void {
    if (isMessage(transmission)) this.#connection?.received();
    switch (transmission.kind) {
      case 'ping':
        return this.#send({ kind: 'pong' });
      case 'pong':
        return;
      case 'close':
        return this.#closedByUnit(transmission.code);
      case 'response':
        if (transmission.uid !== undefined) throw new ProtocolError('frame-malformed', 'a unit may not name a UID');
        return this.#requests.answered(transmission.tracking, transmission.code, transmission.payload);
      case 'request':
        if (transmission.uid !== undefined) throw new ProtocolError('frame-malformed', 'a unit may not name a UID');
        return this.#requested(transmission.tracking, transmission.payload);
      default:
        throw new ProtocolError('frame-malformed', `a unit may not send ${transmission.kind}`);
    }
  }

  #requested(tracking: number, { format, options, data }: PayloadBlock): void {
    if (format !== payloadFormats.binary || options !== 1 || data.length === 0) {
      throw new ProtocolError('frame-malformed', 'a request without a typed message');
    }
    const isHello = data[0] === systemNumbers.hello;
    if (this.#phase.kind === 'hello') {
      if (!isHello) throw new ProtocolError('hello-malformed', 'the first request of a session must be the hello');
      return this.#greet(this.#phase, tracking, data);
    }
    if (this.#phase.kind !== 'open') return;
    if (isHello) throw new ProtocolError('hello-malformed', 'a second hello in one session');
    if (this.#equal === undefined || this.#reportsUnderWay >= MAX_REPORTS_UNDER_WAY) {
      return this.#answer(tracking, returnCodes.noDestination);
    }
    const { profile, hello } = this.#phase;
    this.#reportsUnderWay += 1;
    void this.#options.reports.take(profile, hello.boot, data, this.#equal).then(({ code, payload }) => {
      this.#reportsUnderWay -= 1;
      this.#answer(tracking, code, payload);
    });
  }

  #greet(phase: Extract<Phase, { kind: 'hello' }>, tracking: number, data: Uint8Array): void {
    const { clock } = this.#options;
    const greeting = greet(phase.profile, data, this.#options.hello, clock.now());
    const { code, payload } = greeting;
    if (greeting.kind === 'again') {
      this.#nextStep('the unit did not say hello again');
      return this.#answer(tracking, code, payload);
    }
    if (greeting.kind === 'refused') {
      this.#answer(tracking, code, payload);
      return this.#end(closeCodes.protocolError, greeting.error);
    }
    const { hello } = greeting;
    this.#phase = { ...phase, kind: 'open', hello };
    this.#life = `${hello.boot}/${hello.nonce}`;
    this.#answer(tracking, code, payload);
    if (greeting.isAlike) return this.#ready('all', hello, []);
    this.#nextStep('the unit did not describe itself');
    void describeUnit((request) => this.#request(request, STEP_MS), phase.profile.definition).then(
      ({ equal, differences }) => this.#ready(equal, hello, differences),
      (error: Error) => this.fail(error),
    );
  }

  #ready(equal: ReadonlySet<number> | 'all', hello: Hello, differences: readonly string[]): void {
    if (this.#phase.kind !== 'open') return;
    this.#equal = equal;
    this.#step?.cancel();
    this.#whole?.cancel();
    this.#connection = this.#options.connected(this.#phase.profile.uid);
    this.#options.drift(this.#phase.profile, hello, differences);
    this.#opened.resolve(this);
  }

  #request(data: Uint8Array, timeoutMs: number): ReturnType<OwnRequests['ask']> {
    return this.#requests.ask(timeoutMs, (tracking) =>
      this.#send({ kind: 'request', tracking, payload: { ...emptyTypedPayload, data } }),
    );
  }

  #answer(tracking: number, code: number, payload: PayloadBlock = emptyTypedPayload): void {
    const answer: Transmission = { kind: 'response', tracking, code, payload };
    this.#send(this.#fits(answer) ? answer : { ...answer, payload: emptyTypedPayload });
  }

  /** Whether the unit can take it, with its tag. */
  #fits(transmission: Transmission): boolean {
    return this.#maxTransmission === 0 || encodeTransmission(transmission).length + TAG_OCTETS <= this.#maxTransmission;
  }

  #send(transmission: Transmission): void {
    if (this.#phase.kind === 'ended' || this.#phase.kind === 'opening' || this.#goodbye !== undefined) return;
    const { carrier } = this.#options;
    const stalled = (): void => this.fail(new LinkError('link-stalled', 'the unit does not take what is sent to it'));
    const isTaken = carrier.write(this.#phase.stream.seal(transmission));
    if (isMessage(transmission)) this.#connection?.sent();
    if (!isTaken) this.#stall ??= this.#options.clock.after(STALLED_MS, stalled);
    if (carrier.buffered > MAX_UNSENT) stalled();
  }

  #drained(): void {
    this.#stall?.cancel();
    this.#stall = undefined;
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
    this.#leave();
  }

  #closedByUnit(code: number): void {
    // When we said goodbye first, this is the unit's, and all is in order.
    if (this.#goodbye === undefined) this.#error ??= closeError(code);
    this.#leave();
  }

  /** No more octets from us; the carrier is gone when the unit has closed too, or after {@link GOODBYE_MS}. */
  #leave(): void {
    this.#options.carrier.end();
    this.#goodbye ??= this.#options.clock.after(GOODBYE_MS, () => this.#options.carrier.destroy());
  }

  #closed(error: Error | undefined): void {
    if (this.#phase.kind === 'ended') return;
    const saidGoodbye = this.#goodbye !== undefined && this.#error === undefined;
    this.#phase = { kind: 'ended' };
    this.#connection?.closed();
    this.#bounds.stop();
    this.#drained();
    for (const timer of [this.#step, this.#whole, this.#goodbye]) timer?.cancel();
    const what = error === undefined ? 'the unit closed the connection' : `the connection broke: ${error.message}`;
    const lost = this.#error ?? new LinkError('link-lost', what, { cause: error });
    this.#requests.lost(lost);
    this.#identified.reject(lost);
    this.#opened.reject(lost);
    this.#options.events.closed(saidGoodbye ? undefined : lost);
  }

  #nextStep(what: string): void {
    this.#step?.cancel();
    this.#step = this.#options.clock.after(STEP_MS, () =>
      this.fail(new TimeoutError('opening-timeout', `${what} within ${STEP_MS / 1_000} s`)),
    );
  }
}

/** What is counted: neither heartbeat nor goodbye. */
const isMessage = ({ kind }: Transmission): boolean => kind === 'request' || kind === 'response';
