import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { SqlitePort } from './sqlite-port.js';

/** Copies that are kept, of as many days (reference/limits.md, SQLite). */
export const BACKUPS_KEPT = 7;
/** A backup that failed is a whole copy in vain, and wears out a card. */
const AGAIN_MS = 3_600_000;
const isBackup = (name: string): boolean => /^baseunit-\d{4}-\d{2}-\d{2}\.db$/.test(name);
const isUnfinished = (name: string): boolean => /^baseunit-\d{4}-\d{2}-\d{2}\.db\.new/.test(name);

export interface BackupsOptions {
  readonly folder: string;
  readonly port: SqlitePort;
  readonly clock: Clock;
  readonly log: Log;
}

/** Copies of the store, one a day, the latest seven; one more of the same day replaces the day's. */
export class Backups {
  readonly #options: BackupsOptions;
  #making: Promise<string> | undefined;
  #saidFailure = false;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(options: BackupsOptions) {
    this.#options = options;
  }

  /** Of today, when there is none yet. Never rejects: what fails is said, and tried again. */
  async makeDaily(): Promise<void> {
    const { clock } = this.#options;
    if (existsSync(this.#todays()) || clock.monotonic() < this.#notBefore) return;
    try {
      const path = await this.make();
      this.#options.log.info({ path }, 'the store was backed up');
      this.#saidFailure = false;
    } catch (error) {
      if (!this.#saidFailure)
        this.#options.log.warn({ error: (error as Error).message }, 'the store could not be backed up; said once');
      this.#saidFailure = true;
      this.#notBefore = clock.monotonic() + AGAIN_MS;
    }
  }

  /** Makes one now. Gives its path. One at a time: who asks meanwhile gets the same. */
  make(): Promise<string> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** The files there are, oldest first. */
  list(): string[] {
    return listBackups(this.#options.folder);
  }

  async settled(): Promise<void> {
    await this.#making?.catch(() => {});
  }

  async #make(): Promise<string> {
    mkdirSync(this.#options.folder, { recursive: true, mode: 0o700 });
    const path = this.#todays();
    await this.#options.port.backup(path);
    for (const old of this.list().slice(0, -BACKUPS_KEPT)) rmSync(old);
    return path;
  }

  #todays(): string {
    const day = new Date(this.#options.clock.now()).toISOString().slice(0, 10);
    return join(this.#options.folder, `baseunit-${day}.db`);
  }
}

/** The backups in that folder, oldest first; none when it cannot be read. */
export function listBackups(folder: string): string[] {
  return namesIn(folder)
    .filter(isBackup)
    .sort()
    .map((name) => join(folder, name));
}

/** Takes away what backups left that were cut short. */
export function removeUnfinished(folder: string): void {
  for (const name of namesIn(folder)) if (isUnfinished(name)) rmSync(join(folder, name), { force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // Not there, or not ours to read: a backup that is due says so.
    return [];
  }
}
