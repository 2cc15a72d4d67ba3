import type { UnitDefinition } from '../../protocol/definition/index.js';
import { type Address, addressText } from './address.js';
import type { CommandQueue } from './command-queue.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import type { Presence, PresenceState, Report } from './messages.js';
import { RecentCommands } from './recent-commands.js';
import { ReportSequence } from './report-sequence.js';
import type { StoredReport, UnitState } from './store.js';
import type { PresenceChange } from './unit-events.js';
import type { LastReport, UnitView } from './unit-view.js';

/** What the registry is told of a unit when it is added. */
export interface RegisteredUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  readonly address?: Address | undefined;
}

/** Who serves a unit: its commands, one at a time. */
export interface UnitService {
  readonly queue: CommandQueue;
  deliver(delivery: Delivery): Promise<DeliveryResult>;
}

/** A presence on its way to centrals; `undo`: they could not be told. */
export interface Telling {
  readonly presence: Presence;
  undo(): void;
}

const NOT_REACHED = 'not reached yet';

/** Everything the base knows of one unit at this moment. */
export class UnitRecord {
  readonly unit: RegisteredUnit;
  readonly sequence = new ReportSequence();
  readonly recent = new RecentCommands();
  readonly counts = { reports: 0, commands: 0, missing: 0, refused: 0 };
  service: UnitService | undefined;
  /** One numbered report after the other: what comes twice at the same time is stored once. */
  turn: Promise<unknown> = Promise.resolve();
  #version: string | undefined;
  #state: PresenceState = 'offline';
  #reason: string | undefined = NOT_REACHED;
  /** What centrals were last told. */
  #told: { readonly state: PresenceState; readonly reason?: string | undefined } = {
    state: 'offline',
    reason: NOT_REACHED,
  };
  #drift: readonly string[] = [];
  #lastSeenAt: number | undefined;
  readonly #last = new Map<string, LastReport>();
  /** Where the unit does not number its reports, the base does: a number of this run and a count. */
  #own: { boot: number; sequence: number };
  #wireId: number;
  /** Grows with each change of what must be stored, and of that part of it that must be stored before a report is. */
  #changes = 0;
  #identityChanges = 0;
  #saved = 0;
  #identitySaved = 0;

  constructor(unit: RegisteredUnit, ids: { readonly boot: number; readonly wireId: number }) {
    this.unit = unit;
    this.#own = { boot: ids.boot, sequence: 0 };
    this.#identityChanges += 1;
    this.#wireId = ids.wireId;
  }

  get state(): PresenceState {
    return this.#state;
  }

  /** Something of it is not stored as it is. */
  get isDirty(): boolean {
    return this.#changes !== this.#saved;
  }

  /** Its numbering is not stored as it is. */
  get isIdentityDirty(): boolean {
    return this.#identityChanges !== this.#identitySaved;
  }

  /** What is to be stored, and what to call when it is. */
  save(): { readonly state: UnitState; readonly saved: () => void } {
    const [changes, identityChanges] = [this.#changes, this.#identityChanges];
    const state: UnitState = {
      ...this.sequence.state,
      ownBoot: this.#own.boot,
      wireId: this.#wireId,
      version: this.#version,
      drift: this.#drift,
      told: this.#told,
      lastSeenAt: this.#lastSeenAt,
      last: Object.fromEntries(this.#last),
    };
    const saved = (): void => {
      this.#saved = changes;
      this.#identitySaved = identityChanges;
    };
    return { state, saved };
  }

  /** What an earlier run knew. Its links are gone: it is offline until it is reached again. */
  restore(state: UnitState): void {
    this.sequence.restore(state);
    this.#own = { boot: Math.max(this.#own.boot, state.ownBoot + 1), sequence: 0 };
    this.#wireId = state.wireId;
    this.#version = state.version;
    this.#drift = state.drift;
    this.#told = state.told;
    this.#lastSeenAt = state.lastSeenAt;
    for (const [report, last] of Object.entries(state.last)) this.#last.set(report, last);
  }

  /** A report that was stored after the state was. */
  replay({ unit, report, boot, sequence, fields, measuredAt, receivedAt }: StoredReport): void {
    this.sequence.stored(boot, sequence);
    this.#lastSeenAt = Math.max(this.#lastSeenAt ?? 0, receivedAt);
    this.#last.set(report, { id: `${unit}/${boot}/${sequence}`, fields, measuredAt });
    this.#changes += 1;
  }

  /** Nothing of it is known any more but what is configured, and the numbers that go on. Nothing to store, until it is heard of. */
  forget(): void {
    this.recent.forgetResults();
    this.#last.clear();
    this.#lastSeenAt = undefined;
    this.#version = undefined;
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
    this.#own.sequence += 1;
    return { ...this.#own };
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

  /** It is stored. */
  keep(report: Report): void {
    this.counts.reports += 1;
    this.counts.missing += report.missing ?? 0;
    this.sequence.stored(report.boot, report.sequence);
    this.#last.set(report.report, { id: report.id, fields: report.fields, measuredAt: report.measuredAt });
    this.#changes += 1;
  }

  /** Takes a change; gives the presence to tell, or `undefined` when centrals know it so already. */
  change(change: PresenceChange, at: number): Telling | undefined {
    this.#state = change.state ?? this.#state;
    this.#reason = this.#state === 'offline' ? (change.reason ?? this.#reason) : undefined;
    if (this.#state === 'online') this.seen(at);
    const drift = change.drift ?? this.#drift;
    const { state, reason } = this.#told;
    const isTold = this.#state === state && this.#reason === reason && drift.join('\n') === this.#drift.join('\n');
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
      definition: definition.name,
      ...(this.#version === undefined ? {} : { version: this.#version }),
      kind: definition.kind,
      wire: definition.wire,
      ...(address === undefined ? {} : { address: addressText(address) }),
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      drift: this.#drift,
      ...(this.#lastSeenAt === undefined ? {} : { lastSeenAt: this.#lastSeenAt }),
      last: Object.fromEntries(this.#last),
      waiting: this.service?.queue.length ?? 0,
      counts: { ...this.counts },
    };
  }

  #tell(at: number): Telling {
    const before = this.#told;
    const told = { state: this.#state, ...(this.#reason === undefined ? {} : { reason: this.#reason }) };
    this.#told = told;
    this.#changes += 1;
    const { uid, definition } = this.unit;
    return {
      presence: { kind: 'presence', unit: uid, definition: definition.name, ...told, drift: this.#drift, at },
      undo: () => {
        if (this.#told === told) this.#told = before;
      },
    };
  }
}
