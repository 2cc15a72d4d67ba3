import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { addNamesUnit } from './names-unit.js';
import { migrations } from './schema.js';
import { forgetStatements, type Row, type SqlName, type SqlValue, type Statement, sql } from './sql.js';

/** Older ones can damage a WAL (reference/limits.md, SQLite). */
const LEAST_SQLITE = [3, 51, 3] as const;
/** How long to wait for another process to let go of the file, in ms. */
const BUSY_MS = 5_000;
const CHECKPOINT_PAGES = 1_000;
/** Past it the WAL has not been checkpointed for long, or a transaction was very large. */
export const WAL_ALARM_OCTETS = 16 * 1024 * 1024;
/** Pages copied before other work gets its turn. */
const BACKUP_PAGES = 256;
/** `PRAGMA synchronous`: fsync after every commit. */
const SYNCHRONOUS_FULL = 2;

/** An error in a form that crosses threads. `code` is SQLite's, or one of {@link OpenFault}. */
export interface Fault {
  readonly code: string;
  readonly message: string;
}

/** Why a file cannot be opened, where it is not SQLite that says so. */
export type OpenFault = 'TOO_NEW' | 'FOREIGN' | 'OLD_SQLITE' | 'NOT_DURABLE';

/** What opening found. */
export interface Opened {
  /** There was no store before. */
  readonly isNew: boolean;
  /** A damaged file was set aside, and a new one begun. */
  readonly damaged?: { readonly movedTo: string; readonly reason: string };
  /** It was made by an earlier version; the copy from before the change is at `keptAt`. */
  readonly migrated?: { readonly from: number; readonly keptAt: string };
}

/**
 * One SQLite file, synchronous: whoever calls waits for the disk. WAL, every commit on disk when it returns, nobody else
 * may open it, deleted content is overwritten. Errors of SQLite come as they are, with SQLite's `code`.
 */
export class SqliteFile {
  readonly #path: string;
  readonly #database: Database.Database;
  readonly #prepared = new Map<SqlName, Database.Statement<SqlValue[]>>();

  private constructor(path: string, database: Database.Database) {
    this.#path = path;
    this.#database = database;
  }

  /**
   * Opens and checks it, brings it up to date; makes it when it is not there. A damaged file is renamed to
   * `<path>.damaged-<stamp>` with its WAL. `:memory:` keeps nothing. Throws a {@link Fault}-like Error when it is locked, made
   * by a later version, or cannot be written. `steps` are the versions it can have.
   */
  static open(
    path: string,
    stamp: string,
    steps: readonly string[] = migrations,
  ): { readonly file: SqliteFile; readonly opened: Opened } {
    const isNew = path === ':memory:' || !existsSync(path) || statSync(path).size === 0;
    // A WAL without its database would be dropped by SQLite in silence.
    if (isNew && existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0) {
      const reason = 'the file is missing or empty, and its write-ahead log is there';
      const movedTo = setAside(path, stamp);
      return { file: SqliteFile.#begin(path, steps), opened: { isNew: true, damaged: { movedTo, reason } } };
    }
    if (isNew) return { file: SqliteFile.#begin(path, steps), opened: { isNew: true } };
    try {
      const database = connect(path);
      try {
        const opened = check(database, path, steps);
        return { file: new SqliteFile(path, database), opened };
      } catch (error) {
        database.close();
        throw error;
      }
    } catch (error) {
      if (!isDamage(error)) throw error;
      const reason = (error as Error).message;
      const movedTo = setAside(path, stamp);
      return { file: SqliteFile.#begin(path, steps), opened: { isNew: true, damaged: { movedTo, reason } } };
    }
  }

  static #begin(path: string, steps: readonly string[]): SqliteFile {
    if (path !== ':memory:') {
      rmSync(path, { force: true });
      closeSync(openSync(path, 'w', 0o600));
    }
    const database = connect(path);
    try {
      migrate(database, steps);
    } catch (error) {
      database.close();
      throw error;
    }
    if (path !== ':memory:') sync(dirname(path));
    return new SqliteFile(path, database);
  }

  /**
   * Runs each list of statements whole or not at all, all of them with one wait for the disk. Where one cannot be done, each
   * gets a transaction of its own, so that only that one fails. Gives a fault, or `null`, for each.
   */
  runGroup(group: readonly (readonly Statement[])[]): (Fault | null)[] {
    const first = this.#transact(group);
    if (first === null) return group.map(() => null);
    // A commit that could not be synced stands whole in the log all the same, and would be found after a crash: it is
    // written over.
    if (isOfDisk(first.code)) this.#transact([[['setMeta', 'refused', 0]]]);
    if (group.length === 1 || isOfDisk(first.code)) return group.map(() => first);
    return group.map((statements) => this.#transact([statements]));
  }

  all(name: SqlName, parameters: readonly SqlValue[]): Row[] {
    return this.#prepare(name).all(...parameters) as Row[];
  }

  /** Changed rows of one statement, in a transaction of its own. */
  change(name: SqlName, parameters: readonly SqlValue[]): number {
    return this.#prepare(name).run(...parameters).changes;
  }

  /** Octets in use, and those of the WAL. */
  size(): { readonly octets: number; readonly walOctets: number } {
    const pragma = (name: string): number => this.#database.pragma(name, { simple: true }) as number;
    const octets = (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
    const wal = `${this.#path}-wal`;
    return { octets, walOctets: existsSync(wal) ? statSync(wal).size : 0 };
  }

  /** A consistent copy at that path, checked, on disk whole or not there. Writing goes on meanwhile. */
  async backup(target: string, check: (copy: string) => Promise<void>): Promise<void> {
    const temporary = `${target}.new`;
    rmSync(temporary, { force: true });
    closeSync(openSync(temporary, 'w', 0o600));
    try {
      await this.#database.backup(temporary, { progress: () => BACKUP_PAGES });
      await check(temporary);
      putInPlace(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** Erases everything about a unit: from the tables, from free pages, from the WAL. */
  erase(unit: string): void {
    const statements = forgetStatements(unit, versionOf(this.#database));
    this.#database.transaction(() => {
      for (const [name, ...parameters] of statements) this.#prepare(name).run(...parameters);
    })();
    // secure_delete leaves what a page held before its cells were moved; a file written anew holds nothing but its rows.
    this.#database.exec('VACUUM');
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#database.close();
  }

  #prepare(name: SqlName): Database.Statement<SqlValue[]> {
    let statement = this.#prepared.get(name);
    if (statement === undefined) {
      statement = this.#database.prepare<SqlValue[]>(sql[name]);
      this.#prepared.set(name, statement);
    }
    return statement;
  }

  #transact(group: readonly (readonly Statement[])[]): Fault | null {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const statements of group)
        for (const [name, ...parameters] of statements) this.#prepare(name).run(...parameters);
      this.#database.exec('COMMIT');
      return null;
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
      return faultOf(error);
    }
  }
}

/** Checks that a file is a whole store that this version can use. Throws an Error that says what is wrong with it. */
export function checkBackup(path: string): void {
  const database = new Database(path, { readonly: false, fileMustExist: true });
  try {
    database.pragma('journal_mode = DELETE');
    quickCheck(database);
    const version = versionOf(database);
    if (version < 1) throw new Error('it is not a store of baseunit');
    if (version > migrations.length) throw new Error('it was made by a later version of baseunit');
  } finally {
    database.close();
  }
}

/** The same as {@link SqliteFile.erase}, in a file that nobody uses. */
export function eraseFrom(path: string, unit: string): void {
  const database = new Database(path, { fileMustExist: true });
  try {
    database.pragma('journal_mode = DELETE');
    database.pragma('secure_delete = ON');
    database.pragma('synchronous = FULL');
    addNamesUnit(database);
    const statements = forgetStatements(unit, versionOf(database));
    database.transaction(() => {
      for (const [name, ...parameters] of statements) database.prepare(sql[name]).run(...parameters);
    })();
    database.exec('VACUUM');
  } finally {
    database.close();
  }
}

/** How many steps of the schema a file has been through. */
export function versionOf(database: Database.Database): number {
  return database.pragma('user_version', { simple: true }) as number;
}

/** On disk and in the place of what was there, whole or not at all. */
export function putInPlace(temporary: string, target: string): void {
  chmodSync(temporary, 0o600);
  sync(temporary);
  renameSync(temporary, target);
  sync(dirname(target));
}

export function faultOf(error: unknown): Fault {
  const { code, message } = error as Error & { readonly code?: unknown };
  return { code: typeof code === 'string' ? code : 'INTERNAL', message: String(message) };
}

/** The disk, or our place on it: what comes next will fail as well. */
function isOfDisk(code: string): boolean {
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|NOMEM)/.test(code);
}

const isDamage = (error: unknown): boolean => /^(SQLITE_(CORRUPT|NOTADB)|DAMAGED)/.test(faultOf(error).code);

class OpenError extends Error {
  readonly code: string;

  constructor(code: OpenFault | 'DAMAGED', message: string) {
    super(message);
    this.code = code;
  }
}

function connect(path: string): Database.Database {
  const database = new Database(path, { timeout: BUSY_MS });
  try {
    const pragma = (text: string): unknown => database.pragma(text, { simple: true });
    const version = String(database.prepare('SELECT sqlite_version()').pluck().get());
    if (isOlder(version)) {
      const least = LEAST_SQLITE.join('.');
      throw new OpenError('OLD_SQLITE', `SQLite ${version} can damage its files; ${least} or newer is needed`);
    }
    // One connection and no other: no shared memory file, and a second base is refused.
    pragma('locking_mode = EXCLUSIVE');
    const mode = pragma('journal_mode = WAL');
    pragma('synchronous = FULL');
    pragma('secure_delete = ON');
    pragma('trusted_schema = OFF');
    pragma('cell_size_check = ON');
    pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    pragma(`journal_size_limit = ${WAL_ALARM_OCTETS}`);
    addNamesUnit(database);
    // better-sqlite3 is compiled to use NORMAL, which loses what was acknowledged when the power goes.
    const synchronous = pragma('synchronous');
    if (synchronous !== SYNCHRONOUS_FULL || (path !== ':memory:' && mode !== 'wal'))
      throw new OpenError('NOT_DURABLE', `synchronous is ${synchronous} and the journal ${mode}, not 2 and wal`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function check(database: Database.Database, path: string, steps: readonly string[]): Opened {
  quickCheck(database);
  const from = versionOf(database);
  if (from > steps.length) {
    const what = `the store is of version ${from}, which a later baseunit made; this one knows ${steps.length}`;
    throw new OpenError('TOO_NEW', what);
  }
  if (from === steps.length) return { isNew: false };
  const tables = database.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number;
  if (from === 0 && tables > 0) throw new OpenError('FOREIGN', 'it is the SQLite file of another program');
  // Cut off before its tables were made: there is nothing to keep.
  if (from === 0) {
    migrate(database, steps);
    return { isNew: true };
  }
  const keptAt = `${path}.version-${from}`;
  rmSync(keptAt, { force: true });
  // Synchronous, unlike the backup interface; the file is quiet still.
  database.prepare('VACUUM INTO ?').run(keptAt);
  chmodSync(keptAt, 0o600);
  sync(keptAt);
  migrate(database, steps);
  return { isNew: false, migrated: { from, keptAt } };
}

function migrate(database: Database.Database, steps: readonly string[]): void {
  const from = versionOf(database);
  for (const [index, step] of steps.slice(from).entries()) {
    database.transaction(() => {
      database.exec(step);
      database.pragma(`user_version = ${from + index + 1}`);
    })();
  }
}

function quickCheck(database: Database.Database): void {
  const found = database.pragma('quick_check(1)') as { readonly quick_check: string }[];
  const [first] = found;
  if (first?.quick_check !== 'ok') throw new OpenError('DAMAGED', first?.quick_check ?? 'quick_check says nothing');
}

function isOlder(version: string): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, least] of LEAST_SQLITE.entries()) if (parts[index] !== least) return (parts[index] ?? 0) < least;
  return false;
}

function setAside(path: string, stamp: string): string {
  const movedTo = `${path}.damaged-${stamp}`;
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    if (existsSync(path + suffix)) renameSync(path + suffix, movedTo + suffix);
  sync(dirname(path));
  return movedTo;
}

/** A file's content, or the names in a folder, last through a power cut. */
export function sync(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
