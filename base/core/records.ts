import { StoreError } from '../../protocol/errors.js';
import type { Store, StoredRecord } from './store.js';

/** Of all that one handler may note at a time, where it does not say otherwise: twice its units. */
export const MAX_RECORDS = 32_768;
/** Of one record, as JSON; of its key. */
export const MAX_RECORD_OCTETS = 4_096;
export const MAX_RECORD_KEY = 200;

const encoder = new TextEncoder();

/** A record of one handler. */
export type OwnRecord = Omit<StoredRecord, 'handler'>;

/** What handlers note for their next run: what is in memory is what is on disk, or on its way there. */
export class Records {
  readonly #store: Store;
  /** By handler, then by key. */
  readonly #records = new Map<string, Map<string, StoredRecord>>();
  /** By unit: settled when what is erased of it is gone from the disk. */
  readonly #erasing = new Map<string, Promise<unknown>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** What an earlier run noted. Before anything is noted. */
  restore(records: readonly StoredRecord[]): void {
    for (const record of records) this.#ofHandler(record.handler).set(record.key, record);
  }

  of(handler: string): readonly OwnRecord[] {
    return [...(this.#records.get(handler)?.values() ?? [])];
  }

  /**
   * Resolves when it is on disk, or its unit was forgotten meanwhile. Rejects with StoreError: the disk does not take it, or
   * the handler has too many.
   */
  async put(handler: string, record: OwnRecord, max = MAX_RECORDS): Promise<void> {
    const own = this.#ofHandler(handler);
    const problem = problemOf(record) ?? (own.size >= max && !own.has(record.key) ? `there are ${max} already` : '');
    if (problem !== '') throw new StoreError('store-busy', `the record cannot be kept: ${problem}`);
    const before = own.get(record.key);
    const { key, unit, value } = record;
    const stored: StoredRecord = { handler, key, unit, value };
    own.set(key, stored);
    try {
      // Else it would be erased with what was noted before.
      while (unit !== undefined && this.#erasing.has(unit)) await this.#erasing.get(unit)!.catch(() => {});
      if (own.get(key) !== stored) return;
      await this.#store.commit([{ kind: 'record', record: stored }]);
    } catch (error) {
      // What was put there meanwhile has its own end.
      if (own.get(key) === stored) putBack(own, key, before);
      throw error;
    }
  }

  /** Resolves when it is gone from the disk. Rejects with StoreError: it is still there. */
  async erase(handler: string, key: string): Promise<void> {
    const own = this.#ofHandler(handler);
    const before = own.get(key);
    if (before === undefined) return;
    own.delete(key);
    try {
      await this.#store.commit([{ kind: 'erase', handler, key }]);
    } catch (error) {
      if (!own.has(key)) putBack(own, key, before);
      throw error;
    }
  }

  /** Those about a unit are erased from the disk by whoever forgets it, within {@link erasing}. */
  forget(unit: string): void {
    for (const own of this.#records.values())
      for (const [key, record] of own) if (record.unit === unit) own.delete(key);
  }

  /** What is noted about a unit while it is erased from the disk comes behind that. Gives what `erase` gives. */
  async erasing(unit: string, erase: () => Promise<void>): Promise<void> {
    const done = erase();
    this.#erasing.set(unit, done);
    try {
      await done;
    } finally {
      if (this.#erasing.get(unit) === done) this.#erasing.delete(unit);
    }
  }

  #ofHandler(handler: string): Map<string, StoredRecord> {
    let own = this.#records.get(handler);
    if (own === undefined) {
      own = new Map();
      this.#records.set(handler, own);
    }
    return own;
  }
}

function putBack(own: Map<string, StoredRecord>, key: string, before: StoredRecord | undefined): void {
  if (before === undefined) own.delete(key);
  else own.set(key, before);
}

function problemOf({ key, value }: OwnRecord): string | undefined {
  if (typeof key !== 'string' || key === '' || key.length > MAX_RECORD_KEY)
    return `its key must have 1 to ${MAX_RECORD_KEY} characters`;
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) return 'it is no JSON';
  return encoder.encode(json).length > MAX_RECORD_OCTETS ? `it has more than ${MAX_RECORD_OCTETS} octets` : undefined;
}
