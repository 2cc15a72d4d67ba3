import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Configuration } from '../base/config/configuration.js';
import { loadDefinitions } from '../base/config/definitions.js';
import { loadConfiguration } from '../base/config/load-config.js';
import { makeStateFolder, stateFolderPath } from '../base/config/state-folder.js';
import type { Log } from '../base/core/log.js';
import { type OwnRecord, Records } from '../base/core/records.js';
import { isUid, UID_RULE } from '../base/core/unit-uid.js';
import { Backups, listBackups, removeUnfinished } from '../base/engine/embedded/backups.js';
import { unusable } from '../base/engine/embedded/embedded-engine.js';
import { EmbeddedStore } from '../base/engine/embedded/embedded-store.js';
import { GroupCommit } from '../base/engine/embedded/group-commit.js';
import { eraseFrom, type Fault } from '../base/engine/embedded/sqlite-file.js';
import { openHere, type SqlitePort } from '../base/engine/embedded/sqlite-port.js';
import { storageOf } from '../base/storage.js';
import { systemClock } from '../base/system.js';
import { ConfigurationError, InternalError, StoreError } from '../protocol/errors.js';

/** Where a command that names no configuration looks for one. */
const OWN_FILE = 'base.json';

export interface OfflineStore {
  readonly configuration: Configuration;
  /** Absolute path of the store's file. */
  readonly file: string;
  /** Folder of the backups. */
  readonly backups: string;
}

/** The store of a configuration, as the base that runs with it has it. Throws ConfigurationError. */
export async function findStore(config: string = OWN_FILE): Promise<OfflineStore> {
  const { configuration } = loadConfiguration(config, await loadDefinitions());
  const stateFolder = stateFolderPath({ environment: process.env, configFile: config });
  const { file, backups } = storageOf(configuration.store, stateFolder);
  return { configuration, file, backups };
}

/** A copy in the folder of backups, while no base runs. Gives its path. Throws StoreError. */
export async function backUp({ file, backups: folder }: OfflineStore): Promise<string> {
  const port = await open(file, folder);
  try {
    return await new Backups({ folder, port, clock: systemClock, log: noLog }).make();
  } catch (error) {
    const what = `the store cannot be copied to ${folder}: ${(error as Error).message}`;
    throw new StoreError('store-failed', what, { cause: error });
  } finally {
    await port.close();
  }
}

/** Erases everything about a unit, from the store and from every backup, while no base runs. Throws StoreError. */
export async function forget({ configuration, file, backups }: OfflineStore, unit: string): Promise<void> {
  checkUid(unit, configuration);
  if (existsSync(file)) {
    const port = await open(file, backups);
    try {
      await port.erase(unit);
    } catch (error) {
      const what = `${unit} cannot be erased from the store: ${(error as Error).message}`;
      throw new StoreError('store-failed', what, { cause: error });
    } finally {
      await port.close();
    }
  }
  // What an interrupted backup left is none, and holds the unit too.
  removeUnfinished(backups);
  const failed = listBackups(backups).flatMap((path) => {
    try {
      eraseFrom(path, unit);
      return [];
    } catch (error) {
      return [`${path} (${(error as Error).message})`];
    }
  });
  if (failed.length > 0)
    throw new StoreError(
      'store-failed',
      `${unit} is forgotten, but not in ${failed.join(', ')}; delete what is damaged`,
    );
}

/** What a handler has noted, and notes. */
export interface OfflineRecords {
  all(): readonly OwnRecord[];
  put(record: OwnRecord): Promise<void>;
  erase(key: string): Promise<void>;
}

/**
 * The records of a handler, while no base runs; the store is made where there is none yet. Rejects with StoreError, or what
 * `act` rejects with.
 */
export async function withRecords<T>(
  { file, backups }: OfflineStore,
  handler: string,
  act: (records: OfflineRecords) => Promise<T>,
): Promise<T> {
  const isNew = !existsSync(file);
  if (isNew) makeStateFolder(dirname(file));
  const port = await open(file, backups, isNew);
  try {
    const store = storeOver(port);
    const records = new Records(store);
    records.restore((await store.load()).records);
    return await act({
      all: () => records.of(handler),
      put: (record) => records.put(handler, record),
      erase: (key) => records.erase(handler, key),
    });
  } finally {
    await port.close();
  }
}

/** Opens a store that is there. What the base would set aside at its start is set aside here too, and is an error. */
async function open(file: string, backups: string, mayBeNew = false): Promise<SqlitePort> {
  const none = (what: string): StoreError => new StoreError('store-unusable', `the store ${file} ${what}`);
  if (!mayBeNew && !existsSync(file)) throw none('is not there; a base makes it when it first runs');
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const { port, opened } = await openHere(file, stamp).catch((error: Fault & Error) => {
    throw new StoreError('store-unusable', unusable(file, error), { cause: error });
  });
  if (!opened.isNew || (mayBeNew && opened.damaged === undefined)) return port;
  await port.close();
  const newest = listBackups(backups).at(-1);
  const hint = newest === undefined ? '' : `; bring back the latest backup with: baseunit restore ${newest}`;
  if (opened.damaged === undefined) throw none(`was empty${hint}`);
  const { movedTo, reason } = opened.damaged;
  throw none(`was damaged (${reason}): it is set aside as ${movedTo}${hint}`);
}

/** For records alone: nothing is reported while no base runs, and backing up and erasing have ways of their own. */
function storeOver(port: SqlitePort): EmbeddedStore {
  const never = (): Promise<never> => Promise.reject(new InternalError('internal', 'no base runs'));
  const commits = new GroupCommit(port, () => {});
  const ways = { backup: never, forget: never, downsample: never };
  return new EmbeddedStore({ port, commits, clock: systemClock, log: noLog, lastReport: 0, ...ways });
}

function checkUid(unit: string, { units }: Configuration): void {
  if (isUid(unit)) return;
  // A unit of the original's file has its address for a UID, which may be longer.
  if (units?.known.some(({ uid }) => uid === unit)) return;
  const what = `${JSON.stringify(unit)} cannot be a UID, which ${UID_RULE}`;
  throw new ConfigurationError('config-invalid', what);
}

/** What it would say is told by exit code and message. */
const noLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => noLog };
