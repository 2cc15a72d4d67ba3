import type { UnitDefinition } from '../../protocol/definition/index.js';
import { type Address, addressText } from './address.js';
import type { CommandQueue } from './command-queue.js';
import type { Presence, PresenceState, Report } from './messages.js';
import { RecentCommands } from './recent-commands.js';
import { ReportSequence } from './report-sequence.js';
import type { PresenceChange } from './unit-events.js';
import type { LastReport, UnitView } from './unit-view.js';

/** What the registry is told of a unit when it is added. */
export interface RegisteredUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  readonly address?: Address | undefined;
}

/** Everything the base knows of one unit at this moment. */
export class UnitRecord {
  readonly unit: RegisteredUnit;
  readonly sequence = new ReportSequence();
  readonly recent = new RecentCommands();
  readonly counts = { reports: 0, commands: 0, missing: 0, refused: 0 };
  queue: CommandQueue | undefined;
  version: string | undefined;
  #state: PresenceState = 'offline';
  #reason: string | undefined = 'not reached yet';
  #drift: readonly string[] = [];
  #lastSeenAt: number | undefined;
  readonly #last = new Map<string, LastReport>();
  /** Where the unit does not number its reports, the base does: its own start and a count. */
  #own = { boot: 0, sequence: 0 };
  #wireId: number;

  constructor(unit: RegisteredUnit, ids: { readonly boot: number; readonly wireId: number }) {
    this.unit = unit;
    this.#own.boot = ids.boot;
    this.#wireId = ids.wireId;
  }

  /** The next command id on the wire: never 0. */
  nextWireId(): number {
    this.#wireId = (this.#wireId % 0xffff_ffff) + 1;
    return this.#wireId;
  }

  nextOwnIdentity(): { readonly boot: number; readonly sequence: number } {
    this.#own.sequence += 1;
    return { ...this.#own };
  }

  seen(at: number): void {
    this.#lastSeenAt = at;
  }

  keep(report: Report): void {
    this.counts.reports += 1;
    this.counts.missing += report.missing ?? 0;
    this.#last.set(report.report, { id: report.id, fields: report.fields, measuredAt: report.measuredAt });
  }

  /** Takes a change; gives the presence to publish, or `undefined` when nothing is different. */
  change(change: PresenceChange, at: number): Presence | undefined {
    const state = change.state ?? this.#state;
    const drift = change.drift ?? this.#drift;
    const reason = state === 'offline' ? (change.reason ?? this.#reason) : undefined;
    const isSame = state === this.#state && reason === this.#reason && drift.join('\n') === this.#drift.join('\n');
    if (state === 'online') this.#lastSeenAt = at;
    if (isSame) return undefined;
    this.#state = state;
    this.#drift = drift;
    this.#reason = reason;
    return {
      kind: 'presence',
      unit: this.unit.uid,
      definition: this.unit.definition.name,
      state,
      ...(reason === undefined ? {} : { reason }),
      drift,
      at,
    };
  }

  view(): UnitView {
    const { uid, definition, address } = this.unit;
    return {
      unit: uid,
      definition: definition.name,
      ...(this.version === undefined ? {} : { version: this.version }),
      kind: definition.kind,
      wire: definition.wire,
      ...(address === undefined ? {} : { address: addressText(address) }),
      state: this.#state,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      drift: this.#drift,
      ...(this.#lastSeenAt === undefined ? {} : { lastSeenAt: this.#lastSeenAt }),
      last: Object.fromEntries(this.#last),
      counts: { ...this.counts },
    };
  }
}
