import type { Address } from '../base/core/address.js';
import type { Clock, Timer } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import type { Carrier } from '../base/links/carrier.js';
import { encodeFields, type Values } from '../protocol/definition/index.js';
import { ProtocolError } from '../protocol/errors.js';
import type { SessionCrypto } from '../protocol/iotsocket/proof.js';
import { closeCodes, type PayloadBlock } from '../protocol/iotsocket/transmission.js';
import { encodeLog, systemNumbers, type UnitLog } from '../protocol/unit/system-messages.js';
import type { CommandAnswer } from './answer-memory.js';
import { type Fault, FaultSwitch } from './fault.js';
import { FaultyCarrier } from './faulty-carrier.js';
import { ReportRing } from './report-ring.js';
import { ReportSender } from './report-sender.js';
import { SeededRandom } from './seeded-random.js';
import type { HearSimulation } from './simulation-event.js';
import { answerDescribe, answerRestart } from './system-requests.js';
import { type CommandHandler, UnitCommands } from './unit-commands.js';
import { UnitConnection } from './unit-connection.js';
import { type DialEnd, UnitDialler } from './unit-dialler.js';
import { UnitHello } from './unit-hello.js';
import { resetReasons, UnitLife } from './unit-life.js';
import { UnitLinks } from './unit-links.js';
import { UnitListener } from './unit-listener.js';
import type { UnitModel } from './unit-model.js';
import { UnitState } from './unit-state.js';

/** A base must have proved itself in this time: where the unit listens, and where it dials (wire/unit.md, "Life of a link"). */
const LISTEN_OPENING_MS = 5_000;
const DIAL_OPENING_MS = 20_000;
/** A unit that sleeps stays no longer than this after the hello. */
export const AWAKE_MS = 10_000;

/** How a unit and its base find each other. */
type UnitPlace =
  | { readonly kind: 'listen'; readonly address: Address }
  /** With `sleepMs` the unit sleeps so long between two visits. */
  | { readonly kind: 'dial'; readonly address: Address; readonly sleepMs?: number | undefined };

export interface SimulatedUnitOptions {
  /** 1 to 16 octets of UTF-8. */
  readonly uid: string;
  readonly model: UnitModel;
  /** 16 octets. */
  readonly key: Uint8Array;
  readonly place: UnitPlace;
  readonly faults?: readonly Fault[];
  /** The values it measures follow from this and the UID. Default: the UID alone. */
  readonly seed?: string;
  /** The boot number it starts with. Default 1. */
  readonly boot?: number;
  /** The last sequence of a boot, for tests, which cannot wait for four thousand million readings. */
  readonly lastOfBoot?: number;
  readonly handler?: CommandHandler;
  readonly dial: (address: Address, signal: AbortSignal) => Promise<Carrier>;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  readonly random: Random;
  readonly hear: HearSimulation;
}

/** A unit of typed messages, the unit's side of wire/unit.md. `start` once; `stop` as often as you like. */
export class SimulatedUnit {
  readonly uid: string;
  readonly faults: FaultSwitch;
  readonly state: UnitState;
  readonly #options: SimulatedUnitOptions;
  readonly #seeded: SeededRandom;
  readonly #life: UnitLife;
  readonly #ring: ReportRing;
  readonly #sender: ReportSender;
  readonly #commands: UnitCommands;
  readonly #links: UnitLinks;
  readonly #listener: UnitListener | undefined;
  readonly #dialler: UnitDialler | undefined;
  readonly #timers = new Map<string, Timer>();
  #hello: UnitHello | undefined;
  #dialled: ((end: DialEnd) => void) | undefined;
  #isStopped = false;

  constructor(options: SimulatedUnitOptions) {
    const { uid, model, place, clock, random, hear } = options;
    this.uid = uid;
    this.#options = options;
    this.#seeded = new SeededRandom(`${options.seed ?? ''}/${uid}`);
    this.faults = new FaultSwitch(options.faults);
    this.state = new UnitState(model.definition, this.#seeded);
    this.#ring = new ReportRing(model.definition.ring, options.lastOfBoot);
    this.#life = new UnitLife(random, options.boot ?? 1);
    this.#sender = new ReportSender({
      ring: this.#ring,
      clock,
      settled: ({ number, sequence }, stored) => {
        hear({ kind: 'reported', unit: uid, report: model.messages.get(number)!.name, stored, sequence });
        this.#sleepWhenDone();
      },
    });
    const { state, faults } = this;
    this.#commands = new UnitCommands({ uid, model, state, faults, handler: options.handler, hear });
    this.#links = new UnitLinks({
      connect: (carrier) => this.#connect(carrier),
      monotonic: () => clock.monotonic(),
      linkUp: (connection) => this.#linkUp(connection),
      linkDown: (connection, error) => this.#linkDown(connection, error),
    });
    if (place.kind === 'listen') this.#listener = new UnitListener((carrier) => this.#links.offer(carrier));
    else
      this.#dialler = new UnitDialler({
        address: place.address,
        sleepMs: place.sleepMs,
        woke: () => this.#startAnew(resetReasons.deepSleep),
        dial: options.dial,
        serve: (carrier) => this.#serve(carrier),
        failed: (error) => hear({ kind: 'refusedConnection', unit: uid, reason: error.message }),
        clock,
        random,
      });
  }

  /** Where it listens; `undefined` when it dials, and before `start`. */
  get address(): Address | undefined {
    return this.#listener?.address;
  }
  get boot(): number {
    return this.#life.boot;
  }
  /** Reports that wait for their acknowledgement. */
  get waitingReports(): number {
    return this.#ring.length;
  }
  /** Connections that are not closed yet. A leak test expects 0 after `stop`. */
  get connections(): number {
    return this.#links.size;
  }

  /** Listens, or begins to dial, and measures from now on. Rejects with ConfigurationError `port-in-use`. */
  async start(): Promise<void> {
    const { place, hear } = this.#options;
    if (place.kind === 'listen') {
      const address = await this.#listener!.listen(place.address);
      hear({ kind: 'listening', unit: this.uid, address });
    }
    this.#begin();
    this.#dialler?.start();
  }

  /** Says goodbye to its base and resolves when nothing is left. Faults end with it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimers();
    this.faults.clear();
    const dialled = this.#dialler?.stop();
    await this.#links.close(closeCodes.maintenance);
    await dialled;
    await this.#listener?.close();
  }

  /** Takes a new reading: these values, the others as they are. Gives its sequence. Throws ProtocolError `value-refused`. */
  report(name: string, values: Values = {}): number {
    const { model, clock } = this.#options;
    const definition = model.definition.reports[name];
    if (definition === undefined)
      throw new ProtocolError('value-refused', `${model.definition.name} has no report ${name}`);
    const encoded = encodeFields(definition.fields, { ...this.state.values(name), ...values });
    if (!encoded.ok)
      throw new ProtocolError('value-refused', `${name}.${encoded.refusal.field} ${encoded.refusal.message}`);
    this.state.set(name, values);
    if (this.#ring.isExhausted) {
      this.#takeBoot(this.#life.boot + 1);
      this.#links.link?.close(closeCodes.freeingResources);
    }
    const { number } = definition;
    const sequence = this.#ring.add({ number, measuredAt: clock.monotonic(), fields: encoded.octets });
    this.#sender.wake();
    return sequence;
  }

  /** A line for the base's log, when there is a link. */
  log(level: UnitLog['level'], text: string): void {
    if (this.#hello?.isWelcome === true) this.#links.link?.request(encodeLog({ level, text }));
  }

  /** As when power was lost and came back: a new boot, nothing remembered, nobody told. */
  restart(resetReason: number = resetReasons.powerOn): void {
    this.state.reset();
    this.#startAnew(resetReason);
  }

  /** Nothing that was in RAM is left. What it has measured and what commands have set is the world's, and stays. */
  #startAnew(resetReason: number): void {
    this.#cancelTimers();
    this.#links.drop();
    this.#life.begin(resetReason);
    this.#ring.clear();
    this.#commands.forget();
    const kind = resetReason === resetReasons.deepSleep ? 'woke' : 'restarted';
    this.#options.hear({ kind, unit: this.uid, boot: this.boot });
    if (!this.#isStopped) this.#begin();
  }

  /**
   * Every report once, and those with `everyMs` again and again, from a random moment on so that units do not speak in chorus.
   * A unit that sleeps measures once a visit.
   */
  #begin(): void {
    for (const [name, { everyMs }] of Object.entries(this.#options.model.definition.reports)) {
      this.report(name, this.#isSleeper() && everyMs !== undefined ? this.state.measure(name) : {});
      if (everyMs !== undefined && !this.#isSleeper())
        this.#measureAfter(name, this.#seeded.fraction() * everyMs, everyMs);
    }
  }

  #measureAfter(name: string, delayMs: number, everyMs: number): void {
    const again = (): void => {
      this.#measureAfter(name, everyMs, everyMs);
      this.report(name, this.state.measure(name));
    };
    this.#after(`report ${name}`, delayMs, again);
  }

  #connect(carrier: Carrier): UnitConnection {
    const { uid, key, crypto, clock, place, hear } = this.#options;
    const connection: UnitConnection = new UnitConnection({
      carrier: new FaultyCarrier({ carrier, faults: this.faults, clock, random: this.#seeded }),
      uid,
      key: this.faults.has('wrong-key') ? key.map((octet) => octet ^ 0xff) : key,
      crypto,
      clock,
      openingMs: place.kind === 'listen' ? LISTEN_OPENING_MS : DIAL_OPENING_MS,
      events: {
        proved: () => this.#links.proved(connection),
        request: (tracking, payload) => this.#request(connection, tracking, payload),
        response: (tracking, code, payload) => this.#response(connection, tracking, code, payload),
        closed: (error) => {
          if (this.#links.link !== connection && error !== undefined)
            hear({ kind: 'refusedConnection', unit: uid, reason: error.message });
          const { wasWelcome, sleeps } = this.#endOf(connection);
          this.#links.closed(connection, error);
          this.#dialled?.({ wasWelcome, sleeps, error });
        },
      },
    });
    return connection;
  }

  #serve(carrier: Carrier): Promise<DialEnd> {
    return new Promise((resolve) => {
      this.#dialled = resolve;
      if (this.#isStopped) carrier.destroy();
      this.#links.offer(carrier);
    });
  }

  #endOf(connection: UnitConnection): { readonly wasWelcome: boolean; readonly sleeps: boolean } {
    const hello = this.#hello?.connection === connection ? this.#hello : undefined;
    return { wasWelcome: hello?.isWelcome ?? false, sleeps: hello?.isAsleep ?? false };
  }

  #linkUp(connection: UnitConnection): void {
    const { model, clock } = this.#options;
    this.#hello = new UnitHello({
      connection,
      model,
      clock,
      life: this.#life,
      nextBoot: (boot) => this.#takeBoot(boot),
      welcome: (acknowledged) => this.#welcome(connection, acknowledged),
      sleepAfterMs: this.#isSleeper() ? AWAKE_MS : undefined,
    });
    this.#hello.send();
  }

  #welcome(connection: UnitConnection, acknowledged: number): void {
    this.#ring.forgetUpTo(acknowledged);
    this.#options.hear({ kind: 'connected', unit: this.uid, remote: connection.remote });
    this.#sender.linkUp((data) => connection.request(data));
    this.#sleepWhenDone();
  }

  #linkDown(connection: UnitConnection, error: Error | undefined): void {
    this.#sender.linkDown();
    const { wasWelcome } = this.#endOf(connection);
    this.#hello?.end();
    this.#hello = undefined;
    const { hear } = this.#options;
    if (wasWelcome)
      hear({
        kind: 'disconnected',
        unit: this.uid,
        remote: connection.remote,
        ...(error && { reason: error.message }),
      });
    else if (error !== undefined) hear({ kind: 'refusedConnection', unit: this.uid, reason: error.message });
  }

  #request(connection: UnitConnection, tracking: number, { data }: PayloadBlock): void {
    if (this.#links.link !== connection) return;
    const answer = ({ code, payload }: CommandAnswer): void =>
      connection.send({ kind: 'response', tracking, code, payload });
    if (data[0] === systemNumbers.describe) return answer(answerDescribe(this.#options.model, data));
    if (data[0] === systemNumbers.restart)
      return answer(
        answerRestart(data, (delayMs) => this.#after('restart', delayMs, () => this.restart(resetReasons.byItself))),
      );
    const { answer: commandAnswer, shown } = this.#commands.take(data);
    if (!this.faults.has('mute-commands')) answer(commandAnswer);
    for (const name of shown) this.report(name);
    this.#hello?.commandAnswered();
    this.#sleepWhenDone();
  }

  #response(connection: UnitConnection, tracking: number, code: number, payload: PayloadBlock): void {
    if (this.#links.link !== connection) return;
    if (this.#hello?.answered(tracking, code, payload) === true) return;
    this.#sender.answered(tracking, code);
  }

  #takeBoot(boot: number): void {
    this.#life.takeBoot(boot);
    this.#ring.renumber();
  }

  #isSleeper(): boolean {
    const { place } = this.#options;
    return place.kind === 'dial' && place.sleepMs !== undefined;
  }

  #sleepWhenDone(): void {
    if (this.#isSleeper() && this.#ring.length === 0) this.#hello?.sleepWhenAnswered();
  }

  #after(name: string, delayMs: number, call: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.set(name, this.#options.clock.after(delayMs, call));
  }

  #cancelTimers(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}
