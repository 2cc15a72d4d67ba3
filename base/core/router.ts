import { decodeFields, encodeFields, type UnitDefinition } from '../../protocol/definition/index.js';
import { StoreError } from '../../protocol/errors.js';
import type { Bus } from './bus.js';
import type { Clock, Timer } from './clock.js';
import { CommandQueue } from './command-queue.js';
import type { CommandRequest } from './command-request.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import { Journal } from './journal.js';
import { type Log, peerText } from './log.js';
import { type CheckedRequest, COMMAND_WAIT_MS, Mailbox } from './mailbox.js';
import type { LogLine, Outcome, Report } from './messages.js';
import type { Outboxes } from './outboxes.js';
import { outcomeOf } from './outcome.js';
import type { Random } from './random.js';
import { Registry } from './registry.js';
import { SaidOnce } from './said-once.js';
import type { Change, History, HistoryQuery, Store, StoredState } from './store.js';
import { TokenBucket } from './token-bucket.js';
import type { HelloInput, HelloVerdict, PresenceChange, ReportInput, ReportVerdict } from './unit-events.js';
import type { RegisteredUnit, Telling, UnitRecord } from './unit-record.js';
import type { UnitView } from './unit-view.js';
import type { CommandStatus, UnitsPort } from './units-port.js';

/** How long the unit may take to answer, where the definition does not say (reference/limits.md, "Request"). */
export const COMMAND_TIMEOUT_MS = 5_000;
/** The longest time a command may wait for its unit (reference/limits.md, "Kept session"). */
export const MAX_TTL_MS = 24 * 3_600_000;
const MAX_ID_CHARACTERS = 64;
/** How often units' states are saved; what is newer is made again from their reports. */
export const SAVE_EVERY_MS = 5_000;
/** States saved in one commit: the disk does nothing else meanwhile. */
const STATES_AT_ONCE = 256;
/** A unit that was reachable when the base ended, and is not so long after its start, is away: as long as a silent link lasts. */
export const STILL_AWAY_MS = 45_000;
/** Requests that are refused at once and get a line in the log: what is in them is their sender's to choose. */
const REFUSALS_LOGGED = { perSecond: 1, burst: 20 } as const;

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
  readonly #options: RouterOptions;
  readonly #registry = new Registry();
  readonly #journal: Journal;
  readonly #mailbox: Mailbox;
  readonly #startedS: number;
  readonly #said = new SaidOnce();
  readonly #refusalsLogged: TokenBucket;
  #saving: Timer | undefined;
  #stillAway: Timer | undefined;
  #isStopped = false;

  constructor(options: RouterOptions) {
    const { bus, store, outboxes, clock, log } = options;
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
    this.#refusalsLogged = new TokenBucket(REFUSALS_LOGGED, clock.monotonic());
    this.#startedS = Math.max(1, Math.floor(clock.now() / 1_000));
  }

  add(unit: RegisteredUnit): void {
    const random = this.#options.random.octets(4);
    const wireId = new DataView(random.buffer, random.byteOffset).getUint32(0);
    this.#registry.add(unit, { boot: this.#startedS, wireId });
  }

  /** What an earlier run knew of the units that were added. Once, before they are served. */
  restore({ units, reports }: StoredState): void {
    for (const { unit, state } of units) this.#registry.get(unit)?.restore(state);
    for (const report of reports) this.#registry.get(report.unit)?.replay(report);
  }

  /** Goes on with an earlier run's commands, and begins to save. Once, when units are served. */
  resume(stored: StoredState): void {
    const { clock } = this.#options;
    this.#mailbox.resume(stored, (unit) => this.#registry.get(unit));
    this.#saveLater();
    this.#stillAway = clock.after(STILL_AWAY_MS, () => void this.#tellStillAway());
  }

  /** Commands that wait end, or are kept for the next start; those under way end with their links. */
  stop(): void {
    this.#isStopped = true;
    this.#saving?.cancel();
    this.#stillAway?.cancel();
    this.#mailbox.stop();
    for (const record of this.#registry.all()) record.service?.queue.stop();
  }

  /** Resolves when every command has been told its outcome and everything known of units is stored. */
  async settled(): Promise<void> {
    await this.#mailbox.settled();
    await this.#save();
  }

  // What centrals ask: UnitsPort.

  list(): readonly UnitView[] {
    return [...this.#registry.all()].map((record) => record.view());
  }

  get(unit: string): UnitView | undefined {
    return this.#registry.get(unit)?.view();
  }

  definitionOf(unit: string): UnitDefinition | undefined {
    return this.#registry.get(unit)?.unit.definition;
  }

  /** Whether a request's `unit` names one, by UID or, for a raw line, by address. */
  knows(request: CommandRequest): boolean {
    return this.#find(request) !== undefined;
  }

  /** Rejects with InternalError `stopped` when the base stops, and the command is kept for its next start. */
  async command(request: CommandRequest): Promise<Outcome> {
    const record = this.#find(request);
    const checked = record === undefined ? unknownUnit(request) : checkRequest(record.unit.definition, request);
    if (record === undefined || 'outcome' in checked) return this.#refused(request, record, checked as DeliveryResult);

    const seen = record.recent.find(request.id, this.#options.clock.monotonic());
    if (seen !== undefined) {
      const how = seen === 'under way' ? seen : seen.outcome;
      const reason = `a command with this id was sent before; it is ${how}`;
      return this.#outcome(request, record, { outcome: 'duplicate', reason });
    }
    const ended = await this.#mailbox.accept(record, request, checked);
    return 'refusal' in ended ? this.#refused(request, record, ended.refusal) : ended;
  }

  commandStatus(unit: string, id: string): CommandStatus | undefined {
    const known = this.#registry.get(unit)?.recent.find(id, this.#options.clock.monotonic());
    return known === 'under way' ? 'waiting' : known;
  }

  history(query: HistoryQuery): Promise<History> {
    return this.#options.store.history(query);
  }

  async forget(unit: string): Promise<void> {
    const record = this.#registry.get(unit);
    record?.forget();
    await this.#options.store.forget(unit);
    this.#options.log.info({ unit }, 'everything about the unit was erased');
  }

  // What dialects tell: the other half of their context.

  report(input: ReportInput): Promise<ReportVerdict> {
    const record = this.#registry.get(input.uid);
    if (record === undefined) return Promise.resolve('duplicate');
    if (input.identity === undefined) return this.#report(record, input);
    const verdict = record.turn.then(() => this.#report(record, input));
    record.turn = verdict.catch(() => {});
    return verdict;
  }

  hello(input: HelloInput): HelloVerdict {
    const record = this.#registry.get(input.uid)!;
    const verdict = record.sequence.hello(input.boot, input.nonce);
    record.met(peerText(input.version));
    return verdict.kind === 'welcome'
      ? { ...verdict, waiting: Math.min(255, record.service?.queue.length ?? 0) }
      : verdict;
  }

  presence(uid: string, change: PresenceChange): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) void this.#tell(record, record.change(change, this.#options.clock.now()));
  }

  logLine(uid: string, line: Pick<LogLine, 'level' | 'text'>): void {
    this.#options.bus.publish({ kind: 'log', unit: uid, ...line, at: this.#options.clock.now() });
  }

  refused(uid: string): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.counts.refused += 1;
  }

  onCommand(uid: string, deliver: (delivery: Delivery) => Promise<DeliveryResult>): void {
    const record = this.#registry.get(uid);
    if (record !== undefined) record.service = { queue: new CommandQueue(this.#options.clock), deliver };
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
    const report: Report = {
      kind: 'report',
      id: `${input.uid}/${boot}/${sequence}`,
      unit: input.uid,
      definition: record.unit.definition.name,
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
    return 'stored';
  }

  async #tellStillAway(): Promise<void> {
    const all = [...this.#registry.all()];
    for (let from = 0; from < all.length && !this.#isStopped; from += STATES_AT_ONCE) {
      const now = this.#options.clock.now();
      await Promise.all(
        all.slice(from, from + STATES_AT_ONCE).map((record) => this.#tell(record, record.stillAway(now))),
      );
    }
  }

  /** Never rejects. Who listens is told also when the disk does not take it; receivers then the next time. */
  async #tell(record: UnitRecord, telling: Telling | undefined): Promise<void> {
    if (telling === undefined) return;
    const { presence, undo } = telling;
    const { state, saved } = record.save();
    try {
      await this.#journal.record(presence, [{ kind: 'unit', unit: { unit: record.unit.uid, state } }], saved);
    } catch {
      undo();
      this.#options.bus.publish(presence);
    }
  }

  #saveLater(): void {
    if (this.#isStopped) return;
    this.#saving = this.#options.clock.after(SAVE_EVERY_MS, () => void this.#save().then(() => this.#saveLater()));
  }

  /** Never rejects: what could not be saved is still to be saved the next time. */
  async #save(): Promise<void> {
    const { store } = this.#options;
    const mark = store.mark();
    const dirty = [...this.#registry.all()].filter((record) => record.isDirty);
    for (let from = 0; from < dirty.length; from += STATES_AT_ONCE) {
      const records = dirty.slice(from, from + STATES_AT_ONCE);
      const states = records.map((record) => ({ unit: record.unit.uid, ...record.save() }));
      const isLast = from + STATES_AT_ONCE >= dirty.length;
      try {
        await store.save(states, isLast ? mark : undefined);
      } catch {
        return;
      }
      for (const { saved } of states) saved();
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

const refused = (reason: string): DeliveryResult => ({ outcome: 'refused', reason });

const unknownUnit = (request: CommandRequest): DeliveryResult =>
  refused(`no unit ${JSON.stringify(peerText(request.unit))} is configured here`);

/** Everything of a request that can be checked before its unit is asked. */
function checkRequest(definition: UnitDefinition, request: CommandRequest): CheckedRequest | DeliveryResult {
  if (request.id === '' || request.id.length > MAX_ID_CHARACTERS)
    return refused(`the id must have 1 to ${MAX_ID_CHARACTERS} characters`);
  if (request.ttlMs !== undefined && !(request.ttlMs > 0 && request.ttlMs <= MAX_TTL_MS)) {
    return refused(`the time to live must be more than 0 and at most ${MAX_TTL_MS / 1_000} s`);
  }
  const waitMs = request.ttlMs ?? COMMAND_WAIT_MS;
  if (request.line !== undefined) return { fields: {}, timeoutMs: COMMAND_TIMEOUT_MS, waitMs };
  const name = request.command;
  const command = Object.hasOwn(definition.commands, name) ? definition.commands[name] : undefined;
  if (command === undefined) {
    const known = Object.keys(definition.commands).join(', ') || 'none';
    return refused(`${definition.name} has no command ${JSON.stringify(peerText(name))}; it has: ${known}`);
  }
  const encoded = encodeFields(command.fields ?? {}, request.fields ?? {});
  if (!encoded.ok) return refused(`${peerText(encoded.refusal.field)} ${encoded.refusal.message}`);
  const decoded = decodeFields(command.fields ?? {}, encoded.octets);
  return { fields: decoded.ok ? decoded.values : {}, timeoutMs: command.timeoutMs ?? COMMAND_TIMEOUT_MS, waitMs };
}
