import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../../../protocol/errors.js';
import type { Clock } from '../../core/clock.js';
import type { Engine } from '../../core/engine.js';
import type { Log } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import { Backups, listBackups, removeUnfinished } from './backups.js';
import { EmbeddedQueue } from './embedded-queue.js';
import { EmbeddedStore } from './embedded-store.js';
import { describeFault, GroupCommit } from './group-commit.js';
import { MemoryBus } from './memory-bus.js';
import type { Fault, Opened } from './sqlite-file.js';
import type { OpenFile, SqlitePort } from './sqlite-port.js';
import { type Retention, Upkeep } from './upkeep.js';

export interface EmbeddedEngineOptions {
  /** Absolute path of the store's file; `:memory:` keeps nothing. */
  readonly file: string;
  /** Folder of the backups; absent: none are made. */
  readonly backups?: string | undefined;
  readonly retention: Retention;
  readonly clock: Clock;
  readonly log: Log;
  /** Which thread waits for the disk: `openInThread`, or `openHere`. */
  readonly open: OpenFile;
}

/** The engine that needs nothing installed: the bus in memory, store and queues in one SQLite file. */
export class EmbeddedEngine implements Engine {
  readonly bus: MemoryBus;
  readonly store: EmbeddedStore;
  readonly #options: EmbeddedEngineOptions;
  readonly #port: SqlitePort;
  readonly #commits: GroupCommit;
  readonly #backups: Backups | undefined;
  readonly #upkeep: Upkeep;
  readonly #queues = new Map<string, EmbeddedQueue>();
  readonly #said = new SaidOnce();
  #lastItem: number;
  #probes = 0;
  #closed: Promise<void> | undefined;

  private constructor(options: EmbeddedEngineOptions, found: Found) {
    const { clock, log } = options;
    const { port } = found;
    this.#options = options;
    this.#port = port;
    this.#lastItem = found.lastItem;
    this.bus = new MemoryBus(log);
    this.#commits = new GroupCommit(port, (fault) => this.#hearFault(fault));
    this.#backups =
      options.backups === undefined ? undefined : new Backups({ folder: options.backups, port, clock, log });
    this.store = new EmbeddedStore({
      port,
      commits: this.#commits,
      clock,
      log,
      lastReport: found.lastReport,
      backup: () => this.#backup(),
      forget: (unit) => this.#forget(unit),
      downsample: () => this.#upkeep.downsample(),
    });
    this.#upkeep = new Upkeep({
      port,
      commits: this.#commits,
      store: this.store,
      backups: this.#backups,
      retention: options.retention,
      queues: () => [...this.#queues.values()],
      downsampled: found.downsampled,
      clock,
      log,
    });
  }

  /** Opens the file, checks it, sets a damaged one aside, and says so. Rejects with StoreError `store-unusable`. */
  static async open(options: EmbeddedEngineOptions): Promise<EmbeddedEngine> {
    const { file, clock, log } = options;
    const stamp = new Date(clock.now()).toISOString().replace(/[:.]/g, '-');
    let opening: SqlitePort | undefined;
    try {
      if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const { port, opened } = await options.open(file, stamp);
      opening = port;
      tell(opened, options);
      if (options.backups !== undefined) removeUnfinished(options.backups);
      const number = async (name: 'lastReport' | 'lastItem', column: string): Promise<number> =>
        ((await port.all(name))[0]![column] as number | null) ?? 0;
      const meta = new Map((await port.all('meta')).map(({ name, value }) => [name, value as number]));
      const downsampled = meta.get('downsampled') ?? 0;
      // Positions that were given out and pruned must not be given out again.
      const lastReport = Math.max(await number('lastReport', 'position'), downsampled, meta.get('saved') ?? 0);
      const lastItem = await number('lastItem', 'position');
      const engine = new EmbeddedEngine(options, { port, lastReport, lastItem, downsampled });
      engine.#upkeep.start();
      return engine;
    } catch (error) {
      await opening?.close().catch(() => {});
      log.debug({ file, error: (error as Error).message }, 'the store cannot be opened');
      throw new StoreError('store-unusable', unusable(file, error as Fault & Error), { cause: error });
    }
  }

  queue(name: string): EmbeddedQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new EmbeddedQueue({
      name,
      port: this.#port,
      commits: this.#commits,
      clock: this.#options.clock,
      nextPosition: () => {
        this.#lastItem += 1;
        return this.#lastItem;
      },
    });
    this.#queues.set(name, queue);
    return queue;
  }

  /** Commits that wait for the disk. */
  get commitsWaiting(): number {
    return this.#commits.waiting;
  }

  /** What waits for receivers that are not configured any more becomes dead letters. Gives how many. */
  async buryOrphans(queues: readonly string[]): Promise<number> {
    try {
      return await this.#port.change('buryOrphans', this.#options.clock.now(), JSON.stringify(queues));
    } catch (error) {
      this.#hearFault(error as Error & Fault);
      return 0;
    }
  }

  /** Resolves when the thread of the store has ended by itself: nothing can be stored any more. */
  get died(): Promise<Error> {
    return this.#port.died;
  }

  /** A disk that is full is none of its faults: starting anew makes no room. */
  async probe(): Promise<void> {
    this.#probes += 1;
    const probe = this.#probes;
    try {
      await this.#commits.commit([['setMeta', 'probe', probe]]);
    } catch (error) {
      const { code = '' } = ((error as Error).cause ?? {}) as Partial<Fault>;
      if (code.startsWith('SQLITE_FULL')) return;
      throw error;
    }
    const meta = await this.#port.all('meta');
    if (meta.some(({ name, value }) => name === 'probe' && (value as number) >= probe)) return;
    throw new StoreError('store-failed', 'what was committed is not there');
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#upkeep.stop();
    await this.#backups?.settled();
    for (const queue of this.#queues.values()) {
      await queue.settled();
      queue.stop();
    }
    await this.#commits.settled();
    await this.#port.close();
  }

  #backup(): Promise<string> {
    if (this.#backups !== undefined) return this.#backups.make();
    return Promise.reject(new StoreError('store-failed', 'this store has no folder for backups'));
  }

  async #forget(unit: string): Promise<void> {
    // Behind what was committed before.
    await this.#commits.commit([]);
    await this.#port.erase(unit);
    for (const queue of this.#queues.values()) await queue.pruned();
    const failed: string[] = [];
    for (const path of this.#backups?.list() ?? [])
      await this.#port.eraseFrom(path, unit).catch((error: Error) => failed.push(`${path} (${error.message})`));
    if (failed.length > 0)
      throw new StoreError(
        'store-failed',
        `it is still in backups, which must be deleted by hand: ${failed.join(', ')}`,
      );
  }

  /** Said once until it is well again: every unit meets the same disk. */
  #hearFault(fault: Fault | undefined): void {
    const { log } = this.#options;
    if (fault === undefined) {
      if (this.#said.has('disk')) log.info({}, 'the store can be written again');
      this.#said.forget('disk');
      return;
    }
    const reason = describeFault(fault);
    if (this.#said.isNew('disk', reason))
      log.error({ code: 'store-failed', sqlite: fault.code, reason }, 'the store cannot be written; said once');
  }
}

interface Found {
  readonly port: SqlitePort;
  readonly lastReport: number;
  readonly lastItem: number;
  readonly downsampled: number;
}

function tell(opened: Opened, { file, backups, log }: EmbeddedEngineOptions): void {
  const newest = backups === undefined ? undefined : listBackups(backups).at(-1);
  const hint = newest === undefined ? '' : `; bring back the latest backup with: baseunit restore ${newest}`;
  if (opened.damaged !== undefined) {
    const { movedTo, reason } = opened.damaged;
    log.error({ file, movedTo, reason }, `the store was damaged: it is set aside, and a new one begun${hint}`);
  } else if (opened.isNew && newest !== undefined) {
    log.warn({ file }, `the store is missing or empty, and a new one begun${hint}`);
  } else if (opened.isNew && file !== ':memory:') log.info({ file }, 'a new store was made');
  if (opened.migrated !== undefined)
    log.info({ file, ...opened.migrated }, 'the store was brought up to date; the file from before is kept');
}

/** Why a store cannot be opened, and what to do. */
export function unusable(file: string, { code, message }: Fault): string {
  switch (code) {
    case 'SQLITE_BUSY':
      return `the store ${file} is in use: another base runs with it; stop that one, or configure another store.file`;
    case 'TOO_NEW':
      return `the store ${file} cannot be used: ${message}; run that version, or restore an older backup`;
    case 'OLD_SQLITE':
      return `${message}; run npm install in the project's folder`;
    default:
      return `the store ${file} cannot be opened: ${message}; check its folder's owner and mode, and the disk`;
  }
}
