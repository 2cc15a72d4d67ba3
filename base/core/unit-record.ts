import type { UnitDefinition } from '../../protocol/definition/index.js';
import { addressText, type Whereabouts } from './address.js';
import type { Clock } from './clock.js';
import { CommandQueue } from './command-queue.js';
import type { Presence, PresenceState, Report } from './messages.js';
import type { OpaqueReading } from './opaque-reading.js';
import { RecentCommands } from './recent-commands.js';
import { ReportSequence } from './report-sequence.js';
import type { StoredReport, UnitState } from './store.js';
import type { DeliverTo, HelloInput, PresenceChange } from './unit-events.js';
import { resetText, type UnitStart } from './unit-start.js';
import type { LastReport, UnitView } from './unit-view.js';

/** What the registry is told of a unit when it is added. */
export type RegisteredUnit = TypedUnit | OpaqueUnit;

export interface TypedUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  readonly address?: Whereabouts | undefined;
}

/** A unit that is not typed: what it says is a payload. */
export interface OpaqueUnit {
  readonly uid: string;
  readonly definition?: undefined;
  readonly address?: undefined;
  /** Name of the handler that serves it. */
  readonly dialect: string;
  /** How many commands it takes at a time. Default 1. */
  readonly commandsAtOnce?: number | undefined;
  /** Asked again with the same `wireId`, it says what it did. Default: it does it again. */
  readonly remembersCommands?: boolean | undefined;
}

/** A presence on its way to centrals; `undo`: they could not be told. */
export interface Telling {
  readonly presence: Presence;
  undo(): void;
}

interface Counts {
  reports: number;
  commands: number;
  missing: number;
  refused: number;
}

/** What centrals were last told. */
type Told = UnitState['told'];

const NOT_REACHED = 'not reached yet';
/** The name of the reports of units that are not typed. */
export const TELEMETRY = 'telemetry';

/** One for all units that nothing is known of: there may be 16 384 of them. */
const nothingTold: Told = { state: 'offline', reason: NOT_REACHED };
const nothingCounted: Readonly<Counts> = { reports: 0, commands: 0, missing: 0, refused: 0 };
const noDrift: readonly string[] = [];
const settled: Promise<unknown> = Promise.resolve();

/** Everything the base knows of one unit at this moment. What it does not need yet is not there yet. */
export class UnitRecord {
  readonly unit: RegisteredUnit;
  /** Carries out its commands; `undefined`: nobody does. */
  deliver: DeliverTo | undefined;
  #queue: CommandQueue | undefined;
  #recent: RecentCommands | undefined;
  #sequence: ReportSequence | undefined;
  #counts: Counts | undefined;
  #turn: Promise<unknown> | undefined;
  #version: string | undefined;
  #started: UnitStart | undefined;
  #state: PresenceState = 'offline';
  #reason: string | undefined = NOT_REACHED;
  #expectedAt: number | undefined;
  #told: Told = nothingTold;
  #drift: readonly string[] = noDrift;
  #lastSeenAt: number | undefined;
  #last: Map<string, LastReport> | undefined;
  /** Newer than what `#last` has of a unit that is not typed. */
  #reading: OpaqueReading | undefined;
  /** Where the unit does not number its reports, the base does: a number of this run and a count. */
  #ownBoot: number;
  #ownSequence = 0;
  #wireId: number;
  /** Grows with each change of what must be stored, and of that part of it that must be stored before a report is. */
  #changes = 0;
  #identityChanges = 1;
  #saved = 0;
  #identitySaved = 0;

  constructor(unit: RegisteredUnit, ids: { readonly boot: number; readonly wireId: number }) {
    this.unit = unit;
    this.#ownBoot = ids.boot;
    this.#wireId = ids.wireId;
  }

  get dialect(): string {
    const { unit } = this;
    if (unit.definition === undefined) return unit.dialect;
    return unit.definition.wire === 'session' ? 'unit' : 'line';
  }

  /** What an earlier run may have sent it may be asked about. */
  get remembersCommands(): boolean {
    const { unit } = this;
    return unit.definition === undefined ? unit.remembersCommands === true : unit.definition.wire === 'session';
  }

  get state(): PresenceState {
    return this.#state;
  }

  get recent(): RecentCommands {
    this.#recent ??= new RecentCommands();
    return this.#recent;
  }

  /** The same, where there is something. */
  get knownCommands(): RecentCommands | undefined {
    return this.#recent;
  }

  get sequence(): ReportSequence {
    this.#sequence ??= new ReportSequence();
    return this.#sequence;
  }

  /** Which life of the unit that is, as links call it; `undefined`: it has not said. */
  get life(): string | undefined {
    return this.#sequence?.life;
  }

  get counts(): Counts {
    this.#counts ??= { ...nothingCounted };
    return this.#counts;
  }

  /** What is known of a command by its id. */
  findCommand(id: string, nowMs: number): ReturnType<RecentCommands['find']> {
    return this.#recent?.find(id, nowMs);
  }

  /** Commands without an outcome. */
  get waiting(): number {
    return this.#queue?.length ?? 0;
  }

  /** Something of it is not stored as it is. */
  get isDirty(): boolean {
    return this.#changes !== this.#saved;
  }

  /** Its numbering is not stored as it is. */
  get isIdentityDirty(): boolean {
    return this.#identityChanges !== this.#identitySaved;
  }

  /** Its commands. */
  queueOf(clock: Clock): CommandQueue {
    const { unit } = this;
    this.#queue ??= new CommandQueue(clock, unit.definition === undefined ? unit.commandsAtOnce : undefined);
    return this.#queue;
  }

  /** Its queue, where it has one. */
  get queue(): CommandQueue | undefined {
    return this.#queue;
  }

  /** One numbered report after the other: what comes twice at the same time is stored once. */
  inTurn<T>(take: () => Promise<T>): Promise<T> {
    const taken = (this.#turn ?? settled).then(take);
    this.#turn = taken.catch(() => {});
    return taken;
  }

  /** What is to be stored, and what to call when it is. */
  save(): { readonly state: UnitState; readonly saved: () => void } {
    const [changes, identityChanges] = [this.#changes, this.#identityChanges];
    const state: UnitState = {
      ...this.#sequence?.state,
      ...(this.unit.definition === undefined ? { handler: this.unit.dialect } : {}),
      ownBoot: this.#ownBoot,
      wireId: this.#wireId,
      version: this.#version,
      started: this.#started,
      drift: this.#drift,
      told: this.#told,
      lastSeenAt: this.#lastSeenAt,
      last: this.#lastReports(),
    };
    const saved = (): void => {
      this.#saved = changes;
      this.#identitySaved = identityChanges;
    };
    return { state, saved };
  }

  /**
   * What was known of it before. Its links are gone: it is offline until it is reached again. `isSaved`: it is stored so.
   * `recent`: its commands of this run, in which those under way will end.
   */
  restore(state: UnitState, isSaved = true, recent?: RecentCommands): void {
    this.#recent = recent;
    if (state.boot !== undefined) this.sequence.restore(state);
    this.#ownBoot = Math.max(this.#ownBoot, state.ownBoot + 1);
    this.#ownSequence = 0;
    this.#wireId = state.wireId;
    this.#version = state.version;
    this.#started = state.started;
    this.#drift = state.drift.length === 0 ? noDrift : state.drift;
    this.#told = state.told;
    this.#lastSeenAt = state.lastSeenAt;
    const last = Object.entries(state.last);
    if (last.length > 0) this.#last = new Map(last);
    if (!isSaved) this.#changes += 1;
  }

  /** A report that was stored after the state was. */
  replay({ unit, report, boot, sequence, fields, measuredAt, receivedAt }: StoredReport): void {
    this.#sequence?.stored(boot, sequence);
    this.#lastSeenAt = Math.max(this.#lastSeenAt ?? 0, receivedAt);
    this.#changes += 1;
    // A state may have what is newer: reports of units that are not typed are told before they are stored.
    if (this.unit.definition === undefined && measuredAt < (this.#last?.get(report)?.measuredAt ?? 0)) return;
    this.#setLast(report, { id: `${unit}/${boot}/${sequence}`, fields, measuredAt });
  }

  /** Nothing of it is known any more but what is configured, and the numbers that go on. Nothing to store, until it is heard of. */
  forget(): void {
    this.#recent?.forgetResults();
    this.#last = undefined;
    this.#reading = undefined;
    this.#lastSeenAt = undefined;
    this.#version = undefined;
    this.#started = undefined;
    this.#saved = this.#changes;
    this.#identityChanges += 1;
  }

  /** The next command id on the wire: never 0. */
  nextWireId(): number {
    this.#wireId = (this.#wireId % 0xffff_ffff) + 1;
    this.#changes += 1;
    return this.#wireId;
  }

  nextOwnIdentity(): { readonly boot: number; readonly sequence: number } {
    this.#ownSequence += 1;
    return { boot: this.#ownBoot, sequence: this.#ownSequence };
  }

  /** Something came of it, which is not worth a write to the disk. */
  heard(at: number): void {
    this.#lastSeenAt = at;
  }

  seen(at: number): void {
    this.#lastSeenAt = at;
    this.#changes += 1;
  }

  /** It said hello. */
  met(version: string): void {
    this.#version = version;
    this.#changes += 1;
    this.#identityChanges += 1;
  }

  /** It came up so, or (not `isNew`) is up as before. */
  started({ boot, resetReason, freeHeap }: HelloInput, isNew: boolean, at: number): UnitStart {
    this.#started = { boot, at: isNew ? at : (this.#started?.at ?? at), resetReason, freeHeap };
    return this.#started;
  }

  /** It is stored. */
  keep(report: Report): void {
    this.counts.reports += 1;
    this.counts.missing += report.missing ?? 0;
    this.#sequence?.stored(report.boot, report.sequence);
    this.#setLast(report.report, { id: report.id, fields: report.fields, measuredAt: report.measuredAt });
    this.#changes += 1;
  }

  /** A unit that is not typed said something. */
  read(reading: OpaqueReading): void {
    this.counts.reports += 1;
    this.#reading = reading;
    this.#changes += 1;
  }

  /** Takes a change; gives the presence to tell, or `undefined` when centrals know it so already. */
  change(change: PresenceChange, at: number): Telling | undefined {
    const { state: now = this.#state } = change;
    // Why it was online is not why it is offline.
    const isStill = this.#state === now && (change.state === undefined || now === 'offline');
    this.#state = now;
    if (change.state !== undefined) this.#expectedAt = change.expectedAt;
    this.#reason = change.reason ?? (isStill ? this.#reason : undefined);
    if (this.#state === 'online') this.seen(at);
    const drift = change.drift ?? this.#drift;
    const { state, reason } = this.#told;
    const isTold = this.#state === state && this.#reason === reason && isSame(drift, this.#drift);
    if (isTold) return undefined;
    this.#drift = drift;
    return this.#tell(at);
  }

  /** Centrals believe that it can be reached, and it was not since the base was started. */
  stillAway(at: number): Telling | undefined {
    return this.#state === 'offline' && this.#told.state !== 'offline' ? this.#tell(at) : undefined;
  }

  view(): UnitView {
    const { uid, definition, address } = this.unit;
    return {
      unit: uid,
      dialect: this.dialect,
      ...(definition === undefined ? {} : { definition: definition.name }),
      ...(this.#version === undefined ? {} : { version: this.#version }),
      ...(this.#started === undefined ? {} : { started: startView(this.#started) }),
      ...(definition === undefined ? {} : { kind: definition.kind, wire: definition.wire }),
      ...(address === undefined ? {} : { address: addressText(address) }),
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      drift: this.#drift,
      ...(this.#lastSeenAt === undefined ? {} : { lastSeenAt: this.#lastSeenAt }),
      ...(this.#expectedAt === undefined ? {} : { expectedAt: this.#expectedAt }),
      last: this.#lastReports(),
      waiting: this.waiting,
      counts: { ...(this.#counts ?? nothingCounted) },
    };
  }

  #lastReports(): Readonly<Record<string, LastReport>> {
    const reading = this.#reading;
    if (reading === undefined) return this.#last === undefined ? {} : Object.fromEntries(this.#last);
    const { id, fields, measuredAt } = reading;
    return { ...(this.#last && Object.fromEntries(this.#last)), [TELEMETRY]: { id, fields, measuredAt } };
  }

  #setLast(report: string, last: LastReport): void {
    this.#last ??= new Map();
    this.#last.set(report, last);
  }

  #tell(at: number): Telling {
    const before = this.#told;
    const told: Pick<Presence, 'state' | 'reason'> =
      this.#reason === undefined ? { state: this.#state } : { state: this.#state, reason: this.#reason };
    this.#told = told;
    this.#changes += 1;
    const { uid, definition } = this.unit;
    return {
      presence: {
        kind: 'presence',
        unit: uid,
        ...(definition === undefined ? {} : { definition: definition.name }),
        ...told,
        drift: this.#drift,
        at,
      },
      undo: () => {
        if (this.#told === told) this.#told = before;
      },
    };
  }
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one === other || one.join('\n') === other.join('\n');

const startView = ({ boot, at, resetReason, freeHeap }: UnitStart): NonNullable<UnitView['started']> => ({
  boot,
  at,
  ...(resetReason === undefined ? {} : { resetReason, reset: resetText(resetReason) }),
  ...(freeHeap === undefined ? {} : { freeHeap }),
});
