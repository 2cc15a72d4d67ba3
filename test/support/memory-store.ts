import type {
  Change,
  History,
  Kept,
  Store,
  StoredCommand,
  StoredRecord,
  StoredReport,
  StoredState,
  StoredUnit,
} from '../../base/core/store.js';
import { StoreError } from '../../protocol/errors.js';

/** A store in memory that a test can look into, hold up, or let fail. */
export class MemoryStore implements Store {
  /** Everything that was committed, in order. */
  readonly committed: Change[] = [];
  /** `true`: the disk is full. */
  isFailing = false;
  /** While it is there, commits wait for it. */
  gate: Promise<void> | undefined;
  readonly #units = new Map<string, StoredUnit>();
  readonly #reports: StoredReport[] = [];
  readonly #commands = new Map<number, StoredCommand>();
  readonly #kept = new Map<number, Kept>();
  readonly #records = new Map<string, StoredRecord>();
  #lastRun = 0;
  #saved = 0;
  #savedAt: number | undefined;
  #last: Promise<void> = Promise.resolve();

  commit(changes: readonly Change[]): Promise<void> {
    const { gate } = this;
    const done = this.#last.then(() => gate).then(() => this.#commit(changes));
    this.#last = done.catch(() => {});
    return done;
  }

  async load(): Promise<StoredState> {
    return {
      units: [...this.#units.values()],
      reports: this.#reports.slice(this.#saved),
      commands: [...this.#commands.values()],
      lastOrdinal: Math.max(0, ...this.#commands.keys()),
      savedAt: this.#savedAt,
      kept: [...this.#kept.values()].sort((a, b) => a.position - b.position),
      records: [...this.#records.values()],
      lastRun: this.#lastRun,
    };
  }

  mark(): number {
    return this.#reports.length;
  }

  async save(units: readonly StoredUnit[], mark?: number): Promise<void> {
    await this.commit(units.map((unit): Change => ({ kind: 'unit', unit })));
    if (mark !== undefined) this.#saved = mark;
  }

  /** As if the last run had said so. */
  set savedAt(at: number) {
    this.#savedAt = at;
  }

  async history(): Promise<History> {
    return { at: [], fields: {}, isCut: false };
  }

  async forget(unit: string): Promise<void> {
    this.#units.delete(unit);
    for (const [name, record] of this.#records) if (record.unit === unit) this.#records.delete(name);
  }

  async backup(): Promise<string> {
    return '/nowhere';
  }

  of<K extends Change['kind']>(kind: K): Extract<Change, { kind: K }>[] {
    return this.committed.filter((change): change is Extract<Change, { kind: K }> => change.kind === kind);
  }

  #commit(changes: readonly Change[]): void {
    if (this.isFailing) throw new StoreError('store-failed', 'the disk is full; make room on it');
    for (const change of changes) {
      // What is stored is a copy, as on a disk.
      const copy = structuredClone(change);
      this.committed.push(copy);
      this.#apply(copy);
    }
  }

  #apply(change: Change): void {
    switch (change.kind) {
      case 'unit':
        this.#units.set(change.unit.unit, change.unit);
        break;
      case 'report':
        this.#reports.push(change.report);
        break;
      case 'command':
        this.#commands.set(change.command.ordinal, change.command);
        break;
      case 'sent':
        this.#alter(change.ordinal, { sentIn: change.life });
        break;
      case 'outcome':
        this.#alter(change.ordinal, { outcome: change.outcome });
        break;
      case 'drop':
        this.#commands.delete(change.ordinal);
        break;
      case 'keep':
        this.#kept.set(change.kept.position, change.kept);
        break;
      case 'unkeep':
        for (const position of change.positions) this.#kept.delete(position);
        break;
      case 'record':
        this.#records.set(`${change.record.handler}/${change.record.key}`, change.record);
        break;
      case 'erase':
        this.#records.delete(`${change.handler}/${change.key}`);
        break;
      case 'run':
        this.#lastRun = change.run;
        break;
      case 'item':
        break;
    }
  }

  #alter(ordinal: number, more: Partial<StoredCommand>): void {
    const known = this.#commands.get(ordinal);
    if (known !== undefined) this.#commands.set(ordinal, { ...known, ...more });
  }
}
