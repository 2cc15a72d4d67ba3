import { StoreError } from '../../../protocol/errors.js';
import type { Clock } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { QueueEntry } from '../../core/queue.js';
import type {
  Change,
  History,
  HistoryQuery,
  Kept,
  Store,
  StoredCommand,
  StoredRecord,
  StoredReport,
  StoredState,
  StoredUnit,
} from '../../core/store.js';
import { describeFault, type GroupCommit } from './group-commit.js';
import { courseOf, readingsOf } from './history.js';
import type { Row, Statement } from './sql.js';
import { faultOf } from './sqlite-file.js';
import type { SqlitePort } from './sqlite-port.js';
import { readCommand, readJson, readOutcome, readUnitState, readValues } from './stored-json.js';

/** Rows of one answer of the file's thread: it does nothing else meanwhile. */
const ROWS_AT_ONCE = 10_000;
/** The same of kept transmissions, of which each has up to 64 KiB. */
const KEPT_AT_ONCE = 256;
/** A row a field and moment: a definition's report has at most 64 fields. What is not typed may have more; then fewer moments come. */
const ROWS_PER_MOMENT = 64;
/** A clock before this is not set yet: nothing of ours is so old. 2024-01-01. */
export const EARLIEST_MS = 1_704_067_200_000;

export interface EmbeddedStoreOptions {
  readonly port: SqlitePort;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly log: Log;
  /** The last position that is taken. */
  readonly lastReport: number;
  readonly backup: () => Promise<string>;
  readonly forget: (unit: string) => Promise<void>;
  /** Makes courses of all that was reported. */
  readonly downsample: () => Promise<void>;
}

/** The store in one SQLite file: what changes are as statements, and rows as what they mean. */
export class EmbeddedStore implements Store {
  readonly #options: EmbeddedStoreOptions;
  #lastReport: number;
  /** Positions of reports that are being committed, ascending. */
  readonly #inFlight = new Set<number>();

  constructor(options: EmbeddedStoreOptions) {
    this.#options = options;
    this.#lastReport = options.lastReport;
  }

  /** The highest position given to a report. */
  get lastReport(): number {
    return this.#lastReport;
  }

  async commit(changes: readonly Change[]): Promise<void> {
    const positions: number[] = [];
    const statements = changes.map((change): Statement => {
      if (change.kind !== 'report') return statementOf(change);
      this.#lastReport += 1;
      positions.push(this.#lastReport);
      return reportStatement(this.#lastReport, change.report);
    });
    for (const position of positions) this.#inFlight.add(position);
    try {
      await this.#options.commits.commit(statements);
    } finally {
      for (const position of positions) this.#inFlight.delete(position);
    }
  }

  async load(): Promise<StoredState> {
    const { port, log } = this.#options;
    const meta = new Map((await port.all('meta')).map(({ name, value }) => [name, value as number]));
    let unreadable = 0;
    const readable = <T>(rows: readonly Row[], read: (row: Row) => T | undefined): T[] => {
      const all = rows.map(read).filter((each) => each !== undefined);
      unreadable += rows.length - all.length;
      return all;
    };
    const units = readable(await port.all('units'), unitOf);
    const pages = async <T>(
      name: 'reportsBehind' | 'keptBehind',
      first: number,
      atOnce: number,
      read: (row: Row) => T | undefined,
    ): Promise<T[]> => {
      const all: T[] = [];
      for (let behind = first; ; ) {
        const rows = await port.all(name, behind, atOnce);
        all.push(...readable(rows, read));
        if (rows.length < atOnce) return all;
        behind = rows.at(-1)!.position as number;
      }
    };
    const reports = await pages('reportsBehind', meta.get('saved') ?? 0, ROWS_AT_ONCE, reportOf);
    const kept = await pages('keptBehind', 0, KEPT_AT_ONCE, keptOf);
    const records = readable(await this.#recordRows(), recordOf);
    const commands = readable(await port.all('commands'), commandOf);
    if (unreadable > 0)
      log.error({ unreadable }, 'rows of the store are not what was written and are left out: check the disk');
    const [last] = await port.all('lastCommand');
    const lastOrdinal = (last!.ordinal as number | null) ?? 0;
    const lastRun = meta.get('run') ?? 0;
    return { units, reports, commands, lastOrdinal, savedAt: meta.get('savedAt'), kept, records, lastRun };
  }

  mark(): number {
    const [oldest] = this.#inFlight;
    return (oldest ?? this.#lastReport + 1) - 1;
  }

  save(units: readonly StoredUnit[], mark?: number): Promise<void> {
    const now = this.#options.clock.now();
    return this.#options.commits.commit([
      ...units.map((unit): Statement => statementOf({ kind: 'unit', unit })),
      ...(mark === undefined ? [] : [['setMeta', 'saved', mark] satisfies Statement]),
      ...(now < EARLIEST_MS ? [] : [['setMeta', 'savedAt', now] satisfies Statement]),
    ]);
  }

  history(query: HistoryQuery): Promise<History> {
    return storeErrors(this.#history(query));
  }

  forget(unit: string): Promise<void> {
    return storeErrors(this.#options.forget(unit));
  }

  backup(): Promise<string> {
    return storeErrors(this.#options.backup());
  }

  async #recordRows(): Promise<Row[]> {
    const all: Row[] = [];
    for (let [handler, key] = ['', '']; ; ) {
      const rows = await this.#options.port.all('recordsBehind', handler, key, ROWS_AT_ONCE);
      all.push(...rows);
      const last = rows.at(-1);
      if (rows.length < ROWS_AT_ONCE || last === undefined) return all;
      [handler, key] = [last.handler as string, last.key as string];
    }
  }

  async #history({ unit, report, from, to, resolution, limit }: HistoryQuery): Promise<History> {
    const { port } = this.#options;
    if (resolution === 'raw') return readingsOf(await port.all('history', unit, report, from, to, limit + 1), limit);
    await this.#options.downsample();
    const table = resolution === 'minute' ? 'minutes' : 'hours';
    const mostRows = (limit + 1) * ROWS_PER_MOMENT;
    const rows = await port.all(table, unit, report, from, to, mostRows);
    return courseOf(rows, limit, rows.length === mostRows);
  }
}

/** Whatever the file or the file system throws is the store's. */
function storeErrors<T>(doing: Promise<T>): Promise<T> {
  return doing.catch((error: unknown) => {
    if (error instanceof StoreError) throw error;
    throw new StoreError('store-failed', describeFault(faultOf(error)), { cause: error });
  });
}

function statementOf(change: Exclude<Change, { kind: 'report' }>): Statement {
  switch (change.kind) {
    case 'unit':
      return ['setUnit', change.unit.unit, JSON.stringify(change.unit.state)];
    case 'command': {
      const { ordinal, sentIn, outcome: _, ...rest } = change.command;
      const { unit, id } = rest.command;
      return ['addCommand', ordinal, unit, id, JSON.stringify(rest), sentIn ?? null];
    }
    case 'sent':
      return ['commandSent', change.life ?? null, change.ordinal];
    case 'outcome':
      return ['commandEnded', JSON.stringify(change.outcome), change.outcome.at, change.ordinal];
    case 'drop':
      return ['dropCommand', change.ordinal];
    case 'item': {
      const { queue, entry, body, dead } = change.addition;
      const { position, id, key, octets, dueAt } = entry;
      return [
        'addItem',
        position,
        queue,
        id,
        key,
        octets,
        body,
        dueAt,
        dead === undefined ? null : dueAt,
        dead ?? null,
      ];
    }
    case 'keep': {
      const { position, unit, octets, at } = change.kept;
      return ['addKept', position, unit, Buffer.from(octets).toString('base64'), at];
    }
    case 'unkeep':
      return ['removeKept', JSON.stringify(change.positions)];
    case 'record': {
      const { handler, key, unit, value } = change.record;
      return ['setRecord', handler, key, unit ?? null, JSON.stringify(value)];
    }
    case 'erase':
      return ['removeRecord', change.handler, change.key];
    case 'run':
      return ['setMeta', 'run', change.run];
  }
}

function reportStatement(position: number, report: Extract<Change, { kind: 'report' }>['report']): Statement {
  const { unit, boot, sequence, measuredAt, receivedAt, missing, fields } = report;
  return [
    'addReport',
    position,
    unit,
    report.report,
    boot,
    sequence,
    Math.round(measuredAt),
    Math.round(receivedAt),
    missing ?? 0,
    JSON.stringify(fields),
  ];
}

function unitOf({ unit, state }: Row): StoredUnit | undefined {
  const read = readUnitState(state);
  return read && { unit: unit as string, state: read };
}

function reportOf(row: Row): StoredReport | undefined {
  const fields = readValues(row.fields);
  return (
    fields && {
      unit: row.unit as string,
      report: row.report as string,
      boot: row.boot as number,
      sequence: row.sequence as number,
      measuredAt: row.measured_at as number,
      receivedAt: row.received_at as number,
      fields,
    }
  );
}

const keptOf = (row: Row): Kept => ({
  position: row.position as number,
  unit: row.unit as string,
  octets: Uint8Array.from(Buffer.from(row.octets as string, 'base64')),
  at: row.at as number,
});

function recordOf({ handler, key, unit, value }: Row): StoredRecord | undefined {
  const read = readJson(value);
  return (
    read && { handler: handler as string, key: key as string, unit: (unit as string | null) ?? undefined, ...read }
  );
}

function commandOf(row: Row): StoredCommand | undefined {
  const command = readCommand(row.command);
  const outcome = row.outcome === null ? undefined : readOutcome(row.outcome);
  if (command === undefined || (row.outcome !== null && outcome === undefined)) return undefined;
  return { ...command, ordinal: row.ordinal as number, sentIn: (row.sent_in as string | null) ?? undefined, outcome };
}

export const entryOf = (row: Row): QueueEntry => ({
  position: row.position as number,
  id: row.id as string,
  key: row.key as string,
  octets: row.octets as number,
  attempts: (row.attempts as number | undefined) ?? 0,
  dueAt: (row.due_at as number | undefined) ?? 0,
});
