import { existsSync, linkSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { BaseUnitError, ConfigurationError, StoreError } from '../../../protocol/errors.js';
import type { Random } from '../../core/random.js';
import { copyDurably } from './durable-copy.js';
import { type Row, sql } from './sql.js';
import { checkBackup, faultOf, putInPlace, sync, versionOf } from './sqlite-file.js';
import { readUnitState } from './stored-json.js';

/** How long to wait for another process to let go of the store, in ms. */
const BUSY_MS = 5_000;
/** The version from which on a store keeps transmissions. */
const KEPT_SINCE = 2;
/** What SQLite keeps beside a file. A stranger's would be taken for the file's own. */
const BESIDE = ['-wal', '-journal', '-shm'] as const;

export interface RestoreOptions {
  /** The file to bring back. It stays as it is. */
  readonly backup: string;
  /** Absolute path of the store; it need not be there. */
  readonly store: string;
  /** Part of the name under which the present store is kept. */
  readonly stamp: string;
  readonly random: Random;
}

export interface Restored {
  /** Where the store from before is; `undefined`: there was none. */
  readonly before: string | undefined;
  /** Commands without an outcome. They are left out: they may have been done since the backup was made. */
  readonly commandsLeftOut: number;
}

/**
 * Puts a copy of a backup in the store's place, and keeps the store from before; one that is damaged or missing is no
 * obstacle. Everything that can be wrong shows before anything is changed: StoreError `store-unusable`, a base runs with
 * the store; `store-failed`, the disk; ConfigurationError `config-invalid`, the backup is none, or not one for this version.
 */
export function restoreStore({ backup, store, stamp, random }: RestoreOptions): Restored {
  const path = existsSync(store) ? realpathSync(store) : store;
  // Each process its own: two at a time must not take each other's.
  const copy = `${path}.restoring-${process.pid}`;
  try {
    for (const left of leftCopies(path)) rmSync(left, { force: true });
    const commandsLeftOut = prepare(backup, path, copy, random);
    return { before: exchange(copy, path, stamp), commandsLeftOut };
  } catch (error) {
    removeAll(copy);
    if (error instanceof BaseUnitError) throw error;
    const what = `the store ${path} cannot be written: ${(error as Error).message}`;
    throw new StoreError('store-failed', what, { cause: error });
  }
}

/** Copies of restorations that were cut off: their processes are gone. */
function leftCopies(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  const prefix = `${basename(path)}.restoring-`;
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10)))
    .map((name) => join(folder, name));
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** A copy of the backup that may take the store's place. Gives how many commands were left out. */
function prepare(backup: string, path: string, copy: string, random: Random): number {
  try {
    if (isSameFile(backup, path)) throw new Error('it is the store itself');
    // On a new machine no base has run yet.
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    copyDurably(backup, copy);
    // A store that was set aside may have one.
    if (existsSync(`${backup}-wal`)) copyDurably(`${backup}-wal`, `${copy}-wal`);
    checkBackup(copy);
    return adapt(copy, random);
  } catch (error) {
    const { code, message } = faultOf(error);
    if (/^(SQLITE_(FULL|IOERR)|ENOSPC|EDQUOT|EIO|EROFS)/.test(code)) throw error;
    const what = message.split('\n')[0];
    throw new ConfigurationError('config-invalid', `${backup} cannot be restored: ${what}; nothing was changed`, {
      cause: error,
    });
  }
}

/** Throws when the first is not there. */
function isSameFile(one: string, other: string): boolean {
  const { ino, dev } = statSync(one);
  const there = statSync(other, { throwIfNoEntry: false });
  return there?.ino === ino && there.dev === dev;
}

/** Takes out what was true when the backup was made and must not be true again. */
function adapt(copy: string, random: Random): number {
  const database = new Database(copy, { fileMustExist: true });
  try {
    database.pragma('synchronous = FULL');
    database.pragma('secure_delete = ON');
    return database.transaction(() => {
      const { changes } = database.prepare('DELETE FROM commands WHERE outcome IS NULL').run();
      // So may what was kept for peers that were away have been delivered.
      if (versionOf(database) >= KEPT_SINCE) database.exec('DELETE FROM kept');
      skipRuns(database, random);
      // A unit answers an id that it remembers with what it answered then: ids on the wire never come again.
      const setUnit = database.prepare(sql.setUnit);
      for (const { unit, state } of database.prepare(sql.units).all() as Row[]) {
        const known = readUnitState(state);
        // The base leaves out what it cannot read, and takes a random id itself.
        if (known === undefined) continue;
        const octets = random.octets(4);
        const wireId = new DataView(octets.buffer, octets.byteOffset).getUint32(0);
        setUnit.run(unit, JSON.stringify({ ...known, wireId }));
      }
      return changes;
    })();
  } finally {
    database.close();
  }
}

/** Runs that came behind the backup have numbers which must not come again, even where the clock begins anew each time. */
function skipRuns(database: Database.Database, random: Random): void {
  const known = database.prepare("SELECT value FROM meta WHERE name = 'run'").pluck().get() as number | undefined;
  if (known === undefined) return;
  const skipped = random.octets(3).reduce((number, octet) => number * 256 + octet, 0);
  database.prepare(sql.setMeta).run('run', known + skipped);
}

/** Gives where the store from before is. It is locked meanwhile, so that no base starts with what is being replaced. */
function exchange(copy: string, path: string, stamp: string): string | undefined {
  const lock = lockStore(path);
  try {
    const before = setAside(path, stamp, lock !== undefined);
    putInPlace(copy, path);
    return before;
  } finally {
    lock?.close();
  }
}

/** Keeps everybody else out of the store until it is closed. `undefined`: there is none, or none that anybody could open. */
function lockStore(path: string): Database.Database | undefined {
  // SQLite drops the write-ahead log of an empty file: it is not to be opened.
  if (!existsSync(path) || statSync(path).size === 0) return undefined;
  const database = new Database(path, { timeout: BUSY_MS, fileMustExist: true });
  try {
    // Folds its write-ahead log in: the file alone is then all of the store.
    database.pragma('journal_mode = DELETE');
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    const { code, message } = faultOf(error);
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return undefined;
    const why = code.startsWith('SQLITE_BUSY')
      ? 'is in use; stop the base that runs with it'
      : `cannot be locked: ${message}`;
    throw new StoreError('store-unusable', `the store ${path} ${why}`, { cause: error });
  }
}

/** Gives the present store another name. `undefined`: there is none. */
function setAside(path: string, stamp: string, isWhole: boolean): string | undefined {
  const before = `${path}.before-restore-${stamp}`;
  if (isWhole) {
    try {
      // A second name rather than another: a base that starts at this moment must not find nothing, and begin anew.
      linkSync(path, before);
    } catch {
      // Some file systems have no second names.
      renameSync(path, before);
    }
    return before;
  }
  // The store last: what is beside it must never be found beside its successor.
  const parts = [...BESIDE, ''].filter((suffix) => existsSync(path + suffix));
  for (const suffix of parts) renameSync(path + suffix, before + suffix);
  if (parts.length === 0) return undefined;
  sync(dirname(path));
  return before;
}

function removeAll(path: string): void {
  for (const suffix of ['', ...BESIDE, '.new', '-wal.new']) rmSync(path + suffix, { force: true });
}
