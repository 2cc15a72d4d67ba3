import type { RecentCommands } from './recent-commands.js';
import type { StoredReport, StoredUnit, UnitState } from './store.js';

/** As many as an access list may hold by default. Of those that are away the longest only what is stored is left. */
export const MAX_ABSENT = 65_536;

/** What is known of a unit that is not there. */
export interface AbsentUnit {
  readonly state: UnitState;
  /** It is stored so. */
  readonly isSaved: boolean;
  /** Its commands of this run: one that is sent again when it is back must not be done twice. */
  readonly recent?: RecentCommands | undefined;
}

/** A state on its way to the disk, and what to call when it is there. */
export interface Saving {
  readonly unit: StoredUnit;
  saved(): void;
}

/** What is known of units that are not there: some come, or come back, while the base runs. */
export class AbsentUnits {
  /** In the order in which they went. */
  readonly #units = new Map<string, AbsentUnit>();
  #isBounded = false;

  get size(): number {
    return this.#units.size;
  }

  keep(uid: string, unit: AbsentUnit): void {
    this.#units.delete(uid);
    this.#units.set(uid, unit);
    if (this.#isBounded) this.#trim();
  }

  /** Those of the access list have come: from now on the rest is bounded. Before, it is what the store has. */
  bound(): void {
    this.#isBounded = true;
    this.#trim();
  }

  /** A report that was stored after the state was. */
  replay(report: StoredReport): void {
    const known = this.#units.get(report.unit);
    this.keep(report.unit, {
      ...known,
      state: replayed(known?.state ?? neverSaved(report.boot), report),
      isSaved: false,
    });
  }

  /** UIDs of those that this handler served, heard of last come first. */
  of(handler: string): readonly string[] {
    return [...this.#units]
      .filter(([, { state }]) => state.handler === handler)
      .sort(([, a], [, b]) => (b.state.lastSeenAt ?? 0) - (a.state.lastSeenAt ?? 0))
      .map(([uid]) => uid);
  }

  /** Gives what is known of it, which is the caller's from now on. */
  take(uid: string): AbsentUnit | undefined {
    const unit = this.#units.get(uid);
    this.#units.delete(uid);
    return unit;
  }

  /** Those of which something is not stored. */
  unsaved(): readonly string[] {
    return [...this.#units].filter(([, { isSaved }]) => !isSaved).map(([uid]) => uid);
  }

  /** What is to be stored of it; `undefined`: nothing. */
  savingOf(uid: string): Saving | undefined {
    const unit = this.#units.get(uid);
    if (unit === undefined || unit.isSaved) return undefined;
    const saved = (): void => {
      if (this.#units.get(uid) === unit) this.#units.set(uid, { ...unit, isSaved: true });
    };
    return { unit: { unit: uid, state: unit.state }, saved };
  }

  #trim(): void {
    for (const uid of this.#units.keys()) {
      if (this.#units.size <= MAX_ABSENT) return;
      this.#units.delete(uid);
    }
  }
}

/** Of a unit that the last run knew for less time than lies between two savings. */
const neverSaved = (boot: number): UnitState => ({
  ownBoot: boot,
  wireId: 0,
  drift: [],
  told: { state: 'offline' },
  last: {},
});

function replayed(state: UnitState, report: StoredReport): UnitState {
  const { unit, boot, sequence, measuredAt, receivedAt, fields } = report;
  const isNewer = measuredAt >= (state.last[report.report]?.measuredAt ?? 0);
  const last = { id: `${unit}/${boot}/${sequence}`, fields, measuredAt };
  return {
    ...state,
    ...(boot === state.boot ? { sequence } : {}),
    lastSeenAt: Math.max(state.lastSeenAt ?? 0, receivedAt),
    last: isNewer ? { ...state.last, [report.report]: last } : state.last,
  };
}
