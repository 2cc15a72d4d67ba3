import type { Clock } from '../core/clock.js';
import type { Delivery, DeliveryResult } from '../core/delivery.js';
import { type Log, peerText } from '../core/log.js';
import { outcomeKinds, presenceStates } from '../core/messages.js';
import type { OpaquePayload } from '../core/opaque-payload.js';
import type { Router } from '../core/router.js';
import { TroubleLog } from '../core/trouble-log.js';
import type { DeliverTo, OpaqueReportInput, PresenceChange, ReportInput, ReportVerdict } from '../core/unit-events.js';
import { isUid, UID_RULE } from '../core/unit-uid.js';
import { payloadProblem } from './fit-payload.js';
import type { AddedUnit, Handler } from './handler.js';
import type { HandlerFaults } from './handler-faults.js';

/** Units that one handler may have added, where it does not say otherwise (reference/limits.md, "sessions"). */
export const MAX_UNITS = 16_384;
/** Commands that one unit may be given at a time. */
const MAX_COMMANDS_AT_ONCE = 1_024;
const MAX_REASON = 512;

export interface HandlerUnitsOptions {
  readonly handler: Handler;
  readonly router: Router;
  readonly faults: HandlerFaults;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The units of one handler, towards the router: what is told of a unit of another handler is a fault and goes no further,
 * what is to be stored is fit for that, and every command has an end.
 */
export class HandlerUnits {
  readonly #options: HandlerUnitsOptions;
  readonly #trouble: TroubleLog;
  readonly #added = new Set<string>();
  /** Each ends one command under way. */
  readonly #deliveries = new Set<() => void>();
  /** One for each function that was given: mostly one for all units. */
  readonly #delivers = new WeakMap<DeliverTo, DeliverTo>();
  #isOver = false;

  constructor(options: HandlerUnitsOptions) {
    this.#options = options;
    this.#trouble = new TroubleLog(options.log);
  }

  /** UIDs of those that it has added. */
  get added(): Iterable<string> {
    return this.#added;
  }

  /** Nothing is told of them any more; commands under way end as `unknown`. */
  end(): void {
    this.#isOver = true;
    for (const end of this.#deliveries) end();
  }

  /** Whether it is a unit of this handler. Cheap: reports of ten thousand units ask. */
  has(uid: string): boolean {
    if (this.#isOver) return false;
    const server = this.#options.router.handlerOf(uid);
    if (server === this.#options.handler.name) return true;
    if (server !== undefined) this.#wrong(`a unit of the handler "${server}" was named as one of its own`);
    return false;
  }

  /** The same, without a fault. */
  isOwn(uid: string): boolean {
    return !this.#isOver && this.#options.router.handlerOf(uid) === this.#options.handler.name;
  }

  /** As {@link HandlerContext.addUnit}. */
  add(added: AddedUnit, deliver: DeliverTo): boolean {
    const { uid } = added;
    if (this.#isOver) return false;
    const problem = this.#problemOf(uid) ?? this.#enrol(added, deliver);
    if (problem === undefined) this.#added.add(uid);
    else this.#trouble.warn(problem, { unit: peerText(String(uid)) }, `a unit was not added: ${problem}`);
    return problem === undefined;
  }

  remove(uid: string, reason: string): void {
    if (!this.has(uid)) return;
    this.#added.delete(uid);
    this.#options.router.remove(uid, shortReason(reason));
  }

  presence(uid: string, change: PresenceChange): void {
    if (!this.has(uid)) return;
    const { state, reason } = change;
    if (state !== undefined && !presenceStates.includes(state))
      return this.#wrong(`presence is one of ${presenceStates.join(', ')}`);
    this.#options.router.presence(uid, reason === undefined ? change : { ...change, reason: shortReason(reason) });
  }

  request(uid: string, payload: OpaquePayload): string {
    return this.has(uid) && this.#isFit(uid, payload) ? this.#options.router.request(uid, payload) : '';
  }

  response(id: string, uid: string, code: number, payload: OpaquePayload | undefined): void {
    if (!this.has(uid) || (payload !== undefined && !this.#isFit(uid, payload))) return;
    this.#options.router.response(id, uid, code, payload);
  }

  /** Never rejects. */
  report(input: ReportInput | OpaqueReportInput): Promise<ReportVerdict> {
    const { router, faults, clock } = this.#options;
    if (this.#isOver) return busy;
    if (!this.has(input.uid)) return router.handlerOf(input.uid) === undefined ? duplicate : refused;
    try {
      if (!this.#isFitReport(input)) return refused;
      const verdict = router.report(Number.isFinite(input.measuredAt) ? input : { ...input, measuredAt: clock.now() });
      // What is not durable is taken, and nothing of it rejects: ten thousand units tell it, and nobody waits for it.
      if ('payload' in input && input.durable === false) return verdict;
      return verdict.catch((thrown: unknown): ReportVerdict => {
        faults.add('a report', thrown);
        return 'busy';
      });
    } catch (thrown) {
      faults.add('a report', thrown);
      return refused;
    }
  }

  /** A function for the router, which never rejects. One for each that is given. */
  delivering(deliver: DeliverTo): DeliverTo {
    const known = this.#delivers.get(deliver);
    if (known !== undefined) return known;
    const contained: DeliverTo = (uid, delivery) => this.#deliver(deliver, uid, delivery);
    this.#delivers.set(deliver, contained);
    return contained;
  }

  #problemOf(uid: string): string | undefined {
    const { units = MAX_UNITS } = this.#options.handler.limits ?? {};
    if (typeof uid !== 'string' || !isUid(uid)) return `it is no UID, which ${UID_RULE}`;
    return this.#added.size >= units && !this.#added.has(uid) ? `the handler has ${units} units already` : undefined;
  }

  #enrol({ uid, commandsAtOnce = 1, remembersCommands }: AddedUnit, deliver: DeliverTo): string | undefined {
    const { router, handler } = this.#options;
    const atOnce = Math.min(MAX_COMMANDS_AT_ONCE, Math.max(1, Math.floor(commandsAtOnce) || 1));
    const unit = { uid, dialect: handler.name, commandsAtOnce: atOnce, remembersCommands: remembersCommands === true };
    if (router.addOpaque(unit, this.delivering(deliver))) return undefined;
    return `its UID is one of the handler "${router.handlerOf(uid)}"`;
  }

  #isFitReport(input: ReportInput | OpaqueReportInput): boolean {
    if ('payload' in input) return this.#isFit(input.uid, input.payload);
    if (this.#options.router.definitionOf(input.uid) !== undefined) return true;
    this.#wrong('a report of a unit that is not typed has a payload, and no fields');
    return false;
  }

  #isFit(uid: string, payload: OpaquePayload): boolean {
    const problem = payloadProblem(payload);
    if (problem === undefined) return true;
    this.#options.router.refused(uid);
    this.#wrong(`the payload ${problem}`);
    return false;
  }

  #wrong(what: string): void {
    this.#options.faults.add('what it told the base', new Error(what));
  }

  /** How the handler says that a command ended; or how it ended, where it does not say. Never rejects. */
  #deliver(deliver: DeliverTo, uid: string, delivery: Delivery): Promise<DeliveryResult> {
    if (this.#isOver) return Promise.resolve(gone);
    const { faults } = this.#options;
    return new Promise((resolve) => {
      const settle = (result: DeliveryResult): void => {
        this.#deliveries.delete(end);
        resolve(result);
      };
      const end = (): void => settle(unsaid);
      this.#deliveries.add(end);
      Promise.resolve()
        .then(() => deliver(uid, delivery))
        .then((result) => settle(fitResult(result)))
        .catch((thrown: unknown) => {
          faults.add('deliver', thrown);
          settle({ outcome: 'unknown', reason: `the handler failed: ${faults.last}` });
        });
    });
  }
}

/** What is told of a command is stored, and must be fit for that. Throws what is wrong with it. */
function fitResult(result: DeliveryResult): DeliveryResult {
  if (typeof result !== 'object' || result === null || !outcomes.has(result.outcome))
    throw new Error(`deliver must resolve with an outcome: ${[...outcomes].join(', ')}`);
  const { reason, payload, code } = result;
  const problem = payload === undefined ? undefined : payloadProblem(payload);
  if (problem !== undefined) throw new Error(`the payload of an answer ${problem}`);
  if (code !== undefined && !Number.isInteger(code)) throw new Error('the code of an answer must be a whole number');
  if (reason === undefined || (typeof reason === 'string' && reason.length <= MAX_REASON)) return result;
  return { ...result, reason: shortReason(reason) };
}

const outcomes: ReadonlySet<string> = new Set(outcomeKinds.filter((kind) => kind !== 'duplicate'));

const busy: Promise<ReportVerdict> = Promise.resolve('busy');
const duplicate: Promise<ReportVerdict> = Promise.resolve('duplicate');
const refused: Promise<ReportVerdict> = Promise.resolve('refused');

const gone: DeliveryResult = { outcome: 'unreachable', reason: 'the handler of the unit has ended' };
const unsaid: DeliveryResult = { outcome: 'unknown', reason: 'the handler ended before it said how the command did' };

const shortReason = (reason: unknown): string => String(reason).slice(0, MAX_REASON);
