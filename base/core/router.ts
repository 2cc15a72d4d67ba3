import type { UnitDefinition } from '../../protocol/definition/index.js';
import { StoreError } from '../../protocol/errors.js';
import { AbsentUnits } from './absent-units.js';
import type { Bus, Unsubscribe } from './bus.js';
import { checkRequest, refused } from './check-request.js';
import type { Clock, Timer } from './clock.js';
import type { CommandRequest } from './command-request.js';
import { CrashLog } from './crash-log.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import { Journal } from './journal.js';
import { KeptTransmissions } from './kept-transmissions.js';
import { type Log, peerText } from './log.js';
import { type CommandsWaiting, Mailbox } from './mailbox.js';
import type { LogLine, Outcome, Report } from './messages.js';
import type { OpaquePayload } from './opaque-payload.js';
import { OpaqueTraffic } from './opaque-traffic.js';
import type { Outboxes } from './outboxes.js';
import { outcomeOf } from './outcome.js';
import type { Random } from './random.js';
import { Records } from './records.js';
import { Registry, type UnitCount } from './registry.js';
import { SaidOnce } from './said-once.js';
import { StateSaving } from './state-saving.js';
import type { Change, History, HistoryQuery, Store, StoredState } from './store.js';
import { TokenBucket } from './token-bucket.js';
import type {
  DeliverTo,
  HelloInput,
  HelloVerdict,
  OpaqueReportInput,
  PresenceChange,
  ReportInput,
  ReportVerdict,
} from './unit-events.js';
import { type LogLineInput, UnitLogs } from './unit-logs.js';
import type { OpaqueUnit, RegisteredUnit, Telling, TypedUnit, UnitRecord } from './unit-record.js';
import type { UnitView } from './unit-view.js';
import type { CommandStatus, UnitsPort } from './units-port.js';

/** Units of which centrals are told in one go that they are away. */
const TOLD_AT_ONCE = 256;
/** A unit that was reachable when the base ended, and is not so long after its start, is away: as long as a silent link lasts. */
export const STILL_AWAY_MS = 45_000;
/** Requests that are refused at once and get a line in the log: what is in them is their sender's to choose. */
const REFUSALS_LOGGED = { perSecond: 1, burst: 20 } as const;
export const NOT_LISTED = 'the unit is no longer in the access list';

export interface RouterOptions {
  readonly bus: Bus;
  readonly store: Store;
  readonly outboxes: Outboxes;
  /** Commands of all units that wait. Default 64 MiB. */
  readonly maxMailboxOctets?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * The only place that knows who gets what: reports from dialects go to the store, the registry and the bus, commands from
 * centrals to the mailbox of their unit, and each command's one outcome back to its sender and to the bus.
 */
export class Router implements UnitsPort {
  /** Where dialects keep what is for peers that are away. */
  readonly kept: KeptTransmissions;
  /** What they note for their next run. */
  readonly records: Records;
  readonly #options: RouterOptions;
  readonly #registry = new Registry();
  /** Units that are not configured, and not (yet) in an access list. */
  readonly #absent = new AbsentUnits();
  readonly #opaque: OpaqueTraffic;
  readonly #typedReports = new Set<(report: Report) => void>();
  readonly #hearForgotten = new Set<(uid: string) => void>();
  readonly #journal: Journal;
  readonly #mailbox: Mailbox;
  readonly #saving: StateSaving;
  readonly #startedS: number;
  readonly #said = new SaidOnce();
  readonly #refusalsLogged: TokenBucket;
  readonly #logs = new UnitLogs();
  readonly #crashes: CrashLog;
  #stillAway: Timer | undefined;
  #isStillAwayTold = false;
  #isStopped = false;

  constructor(options: RouterOptions) {
    const { bus, store, outboxes, clock, random, log } = options;
    this.#options = options;
    this.#journal = new Journal(bus, store, outboxes);
    this.#mailbox = new Mailbox({
      store,
      journal: this.#journal,
      publish: (command) => bus.publish(command),
      maxOctets: options.maxMailboxOctets,
      clock,
      log,
    });
    this.kept = new KeptTransmissions(store, clock);
    this.records = new Records(store);
    this.#saving = new StateSaving({ registry: this.#registry, absent: this.#absent, store, clock });
    this.#opaque = new OpaqueTraffic({ bus, store, journal: this.#journal, clock, random, log });
    this.#refusalsLogged = new TokenBucket(REFUSALS_LOGGED, clock.monotonic());
    this.#crashes = new CrashLog(clock, log);
    this.#startedS = Math.max(1, Math.floor(clock.now() / 1_000));
  }

  /** Adds a typed unit, while the base runs too; what is known of it comes back. False: that UID is taken. */
  add(unit: TypedUnit): boolean {
    if (this.#registry.get(unit.uid) !== undefined) return false;
    this.#enrol(unit);
    return true;
  }

  /**
   * Adds a unit that is not typed, while the base runs too; what is known of it comes back. Of one that is there only
   * `deliver` changes. False: a configured unit, or one of another handler, has that UID.
   */
  addOpaque(unit: OpaqueUnit, deliver: DeliverTo): boolean {
    const known = this.#registry.get(unit.uid);
    if (known !== undefined && (known.unit.definition !== undefined || known.dialect !== unit.dialect)) return false;
    const record = known ?? this.#enrol(unit);
    record.deliver = deliver;
    return true;
  }

  /**
   * Takes a unit away that is not typed. What waits for it ends as `unreachable` with that reason; centrals are told that it
   * is offline. What is stored of it stays, and comes back with it.
   */
  remove(uid: string, reason = NOT_LISTED): void {
    if (this.definitionOf(uid) === undefined) this.#remove(uid, reason);
  }

  /** The same of a typed unit: one that was added while a base ran. */
  removeTyped(uid: string, reason: string): void {
    if (this.definitionOf(uid) !== undefined) this.#remove(uid, reason);
  }

  /** UIDs of units that are not there and that a handler of that name served, in this run or before; heard of last come first. */
  absentOf(handler: string): readonly string[] {
    return this.#absent.of(handler);
  }

  /** What earlier runs knew. Once, behind `add` and before units are served; resolves when this run has its number. */
  restore({ units, reports, kept, records, lastRun }: StoredState): Promise<void> {
    for (const { unit, state } of units) {
      const record = this.#registry.get(unit);
      if (record === undefined) this.#absent.keep(unit, { state, isSaved: true });
      else record.restore(state);
    }
    for (const report of reports) (this.#registry.get(report.unit) ?? this.#absent).replay(report);
    this.kept.restore(kept);
    this.records.restore(records);
    return this.#opaque.begin(lastRun);
  }

  /** Goes on with an earlier run's commands, and begins to save. Once, when units are served. */
  resume(stored: StoredState): void {
    const { clock } = this.#options;
    this.#absent.bound();
    this.#mailbox.resume(stored, (unit) => this.#registry.get(unit));
    this.#saving.start();
    this.#stillAway = clock.after(STILL_AWAY_MS, () => void this.#tellStillAway());
  }

  /** Commands that wait end, or are kept for the next start; those under way end with their links. */
  stop(): void {
    this.#isStopped = true;
    this.#saving.stop();
    this.#stillAway?.cancel();
    this.#mailbox.stop();
    this.kept.stop();
    for (const record of this.#registry.all()) record.queue?.stop();
  }

  /** Resolves when every command has been told its outcome and everything known of units is stored. */
  async settled(): Promise<void> {
    await this.#mailbox.settled();
    await this.#opaque.settled();
    await this.kept.settled();
    await this.#saving.save();
  }

  // What centrals ask: UnitsPort.

  list(): readonly UnitView[] {
    return [...this.#registry.all()].map((record) => record.view());
  }

  uids(): Iterable<string> {
    return this.#registry.uids();
  }

  online(): readonly string[] {
    const online: string[] = [];
    for (const { state, unit } of this.#registry.all()) if (state === 'online') online.push(unit.uid);
    return online;
  }

  get(unit: string): UnitView | undefined {
    return this.#registry.get(unit)?.view();
  }

  definitionOf(unit: string): UnitDefinition | undefined {
    return this.#registry.get(unit)?.unit.definition;
  }

  /** Name of the handler that serves it; `undefined`: there is no such unit. */
  handlerOf(unit: string): string | undefined {
    return this.#registry.get(unit)?.dialect;
  }

  census(): readonly UnitCount[] {
    return this.#registry.census();
  }

  /** Readings of units that are not typed that were told and found no way to the disk, since the base started. */
  get lostReadings(): number {
    return this.#opaque.lost;
  }

  /** Commands and queries that have no outcome yet, over all units. */
  waiting(): CommandsWaiting {
    return this.#mailbox.waiting;
  }

  /** Whether a request's `unit` names one, by UID or, for a raw line, by address. */
  knows(request: CommandRequest): boolean {
    return this.#find(request) !== undefined;
  }

  /** Rejects with InternalError `stopped` when the base stops, and the command is kept for its next start. */
  async command(request: CommandRequest): Promise<Outcome> {
    const record = this.#find(request);
    const checked = record === undefined ? unknownUnit(request) : checkRequest(record.unit, request);
    if (record === undefined || 'outcome' in checked) return this.#refused(request, record, checked as DeliveryResult);

    const seen = record.findCommand(request.id, this.#options.clock.monotonic());
    if (seen !== undefined) {
      const how = seen === 'under way' ? seen : seen.outcome;
      const reason = `a command with this id was sent before; it is ${how}`;
      return this.#outcome(request, record, { outcome: 'duplicate', reason });
    }
    const ended = await this.#mailbox.accept(record, request, checked);
    return 'refusal' in ended ? this.#refused(request, record, ended.refusal) : ended;
  }

  commandStatus(unit: string, id: string): CommandStatus | undefined {
    const known = this.#registry.get(unit)?.findCommand(id, this.#options.clock.monotonic());
    return known === 'under way' ? 'waiting' : known;
  }

  logs(unit: string): readonly LogLine[] {
    return this.#logs.of(unit);
  }

  history(query: HistoryQuery): Promise<History> {
    return this.#options.store.history(query);
  }

  async forget(unit: string): Promise<void> {
    const record = this.#registry.get(unit);
    record?.forget();
    this.#logs.forget(unit);
    this.records.forget(unit);
    for (const hear of this.#hearForgotten) hear(unit);
    // Of one that was taken away for it, too.
    this.#absent.take(unit);
    await this.records.erasing(unit, async () => {
      // What was said before is behind it then.
      await this.#opaque.settled();
      await this.#options.store.forget(unit);
    });
    this.#options.log.info({ unit }, 'everything about the unit was erased');
  }

  // What dialects tell: the other half of their context.

  report(input: ReportInput | OpaqueReportInput): Promise<ReportVerdict> {
    const record = this.#registry.get(input.uid);
    if (record === undefined) return Promise.resolve('duplicate');
    if ('payload' in input) return this.#opaque.report(record, input);
    if (input.identity === undefined) return this.#report(record, input);
    return record.inTurn(() => this.#report(record, input));
  }

  /** A unit that is not typed asks its central something. Gives the id of its response. */
  request(uid: string, payload: OpaquePayload): string {
    return this.#opaque.request(uid, payload);
  }

  /** What it was answered, with a return code of wire/iotsocket.md. */
  response(id: string, uid: string, code: number, payload: OpaquePayload | undefined): void {
    this.#opaque.response(id, uid, code, payload);
  }

  /** False: such a message of a unit that is not typed would reach nobody. */
  wants(kind: 'report' | 'request' | 'response'): boolean {
    return this.#opaque.wants(kind);
  }

  /** Calls for each report of a typed unit that is on disk, in order. What `hear` throws is logged. */
  hearTyped(hear: (report: Report) => void): Unsubscribe {
    const own = (report: Report): void => hear(report);
    this.#typedReports.add(own);
    return () => void this.#typedReports.delete(own);
  }

  /** The same of units that are not typed; what is not durable comes before it is on disk. */
  hearTelemetry(hear: (report: Report) => void): Unsubscribe {
    return this.#options.bus.subscribe('report', (report) => {
      if (report.payload !== undefined) hear(report);
    });
  }

  /** Calls with the UID when everything about a unit is to be erased, of any handler. */
  hearForgotten(hear: (uid: string) => void): Unsubscribe {
    this.#hearForgotten.add(hear);
    return () => void this.#hearForgotten.delete(hear);
  }

  /** It is there still: it shows when units are looked at, and is stored with what is stored of it next. */
  seen(uid: string): void {
    this.#registry.get(uid)?.heard(this.#options.clock.now());
  }

  hello(input: HelloInput): HelloVerdict {
    const record = this.#registry.get(input.uid)!;
    const { life } = record;
    const verdict = record.sequence.hello(input.boot, input.nonce);
    record.met(peerText(input.version));
    if (verdict.kind === 'next-boot') return verdict;
    const isNew = record.life !== life;
    const start = record.started(input, isNew, this.#options.clock.now());
    if (isNew) this.#crashes.started(input.uid, start);
    return { ...verdict, waiting: Math.min(255, record.waiting) };
  }

  presence(uid: string, change: PresenceChange): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) void this.#tell(record, record.change(change, this.#options.clock.now()));
  }

  logLine(uid: string, input: LogLineInput): void {
    const { bus, clock } = this.#options;
    if (this.#registry.get(uid) === undefined) return;
    const line = this.#logs.add(uid, input, clock.now(), clock.monotonic());
    if (line !== undefined) bus.publish(line);
  }

  refused(uid: string): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.counts.refused += 1;
  }

  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.deliver = (_uid, delivery) => deliver(delivery);
  }

  #add(unit: RegisteredUnit): UnitRecord {
    const random = this.#options.random.octets(4);
    const wireId = new DataView(random.buffer, random.byteOffset).getUint32(0);
    return this.#registry.add(unit, { boot: this.#startedS, wireId });
  }

  /** Of a unit that comes while the base runs. */
  #enrol(unit: RegisteredUnit): UnitRecord {
    const record = this.#add(unit);
    const known = this.#absent.take(unit.uid);
    if (known === undefined) return record;
    record.restore(known.state, known.isSaved, known.recent);
    if (this.#isStillAwayTold) void this.#tell(record, record.stillAway(this.#options.clock.now()));
    return record;
  }

  #remove(uid: string, reason: string): void {
    const record = this.#registry.get(uid);
    if (record === undefined) return;
    const now = this.#options.clock.now();
    const isAway = record.state === 'offline';
    void this.#tell(record, isAway ? record.stillAway(now) : record.change({ state: 'offline', reason }, now));
    this.#registry.remove(uid);
    this.#logs.forget(uid);
    this.#crashes.forget(uid);
    record.deliver = undefined;
    record.queue?.abandon(reason);
    this.#absent.keep(uid, { state: record.save().state, isSaved: !record.isDirty, recent: record.knownCommands });
  }

  #find(request: CommandRequest): UnitRecord | undefined {
    const byUid = this.#registry.get(request.unit);
    return byUid ?? (request.line === undefined ? undefined : this.#registry.byAddress(request.unit));
  }

  /** Never rejects: `busy` where the store does not take it. */
  async #report(record: UnitRecord, input: ReportInput): Promise<ReportVerdict> {
    const { clock, log } = this.#options;
    const now = clock.now();
    record.seen(now);
    let missing = 0;
    if (input.identity !== undefined) {
      const admission = record.sequence.admit(input.identity.boot, input.identity.sequence);
      if (admission.kind === 'duplicate') return 'duplicate';
      missing = admission.missing;
    }
    const { boot, sequence } = input.identity ?? record.nextOwnIdentity();
    const { definition } = record.unit;
    const report: Report = {
      kind: 'report',
      id: `${input.uid}/${boot}/${sequence}`,
      unit: input.uid,
      ...(definition === undefined ? {} : { definition: definition.name }),
      report: input.report,
      fields: input.fields,
      boot,
      sequence,
      measuredAt: input.measuredAt,
      receivedAt: now,
      ...(missing > 0 ? { missing } : {}),
    };
    const identity = record.isIdentityDirty ? record.save() : undefined;
    const changes: Change[] = [{ kind: 'report', report }];
    if (identity !== undefined) changes.unshift({ kind: 'unit', unit: { unit: input.uid, state: identity.state } });
    try {
      await this.#journal.record(report, changes, () => {
        identity?.saved();
        record.keep(report);
      });
    } catch (error) {
      if (error instanceof StoreError) return 'busy';
      throw error;
    }
    if (missing > 0) log.warn({ unit: input.uid, missing }, 'reports never arrived');
    this.#tellTyped(report);
    return 'stored';
  }

  #tellTyped(report: Report): void {
    for (const hear of this.#typedReports) {
      try {
        hear(report);
      } catch (error) {
        this.#options.log.error({ error: (error as Error).message }, 'who hears of reports failed');
      }
    }
  }

  async #tellStillAway(): Promise<void> {
    this.#isStillAwayTold = true;
    const all = [...this.#registry.all()];
    for (let from = 0; from < all.length && !this.#isStopped; from += TOLD_AT_ONCE) {
      const now = this.#options.clock.now();
      await Promise.all(
        all.slice(from, from + TOLD_AT_ONCE).map((record) => this.#tell(record, record.stillAway(now))),
      );
    }
  }

  /**
   * Never rejects. What no receiver gets is told at once, and saved with the rest of the unit's state. Who listens is told
   * also when the disk does not take it; receivers then the next time.
   */
  #tell(record: UnitRecord, telling: Telling | undefined): Promise<void> | undefined {
    if (telling === undefined) return undefined;
    const { presence, undo } = telling;
    const failed = (): void => {
      undo();
      this.#options.bus.publish(presence);
    };
    try {
      const told = this.#journal.tell(presence, () => {
        const { state, saved } = record.save();
        return { changes: [{ kind: 'unit', unit: { unit: record.unit.uid, state } }], accept: saved };
      });
      return told?.catch(failed);
    } catch {
      failed();
      return undefined;
    }
  }

  #outcome(
    request: CommandRequest,
    record: UnitRecord | undefined,
    result: Omit<DeliveryResult, 'outcome'> & Pick<Outcome, 'outcome'>,
  ): Outcome {
    const unit = record?.unit.uid ?? peerText(request.unit);
    return outcomeOf({ ...request, unit }, result, this.#options.clock.now());
  }

  /** Never accepted: its sender is told every time, the log once, and seldom where the text changes. */
  #refused(request: CommandRequest, record: UnitRecord | undefined, result: DeliveryResult): Outcome {
    const outcome = this.#outcome(request, record, result);
    const { id, unit, command, source, reason } = outcome;
    const isNews = outcome.outcome === 'refused' && this.#said.isNew(`${source}/${unit}`, reason ?? '');
    if (isNews && this.#refusalsLogged.take(this.#options.clock.monotonic()))
      this.#options.log.warn({ id, unit, command, source, reason }, 'command refused; said once');
    // Nothing was accepted, so nothing is promised: receivers get it if the disk takes it.
    this.#journal.record(outcome, []).catch(() => this.#options.bus.publish(outcome));
    return outcome;
  }
}

const unknownUnit = (request: CommandRequest): DeliveryResult =>
  refused(`no unit ${JSON.stringify(peerText(request.unit))} is configured here`);
