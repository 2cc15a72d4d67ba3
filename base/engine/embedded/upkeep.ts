import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { Backups } from './backups.js';
import type { EmbeddedQueue } from './embedded-queue.js';
import { EARLIEST_MS, type EmbeddedStore } from './embedded-store.js';
import type { GroupCommit } from './group-commit.js';
import type { Statement } from './sql.js';
import { WAL_ALARM_OCTETS } from './sqlite-file.js';
import type { SqlitePort } from './sqlite-port.js';

/** How often new reports go into the courses by minute and hour (reference/limits.md, SQLite). */
export const DOWNSAMPLE_EVERY_MS = 5_000;
/** How often what is too old is looked for, and whether a backup is due. */
export const PRUNE_EVERY_MS = 60_000;
/** Reports of one downsampling, and rows of one deletion: units' reports wait behind it. */
const REPORTS_AT_ONCE = 5_000;
const ROWS_AT_ONCE = 1_000;
/** How often units are counted for their own bound: the count looks at every report. */
const COUNT_EVERY_PRUNES = 10;
/** A jump of the clock that is worth a line. */
const JUMP_MS = 60_000;
const DAY_MS = 86_400_000;
/** Dead letters are kept so long, and so many of one queue (reference/limits.md, Webhook). */
const DEAD_DAYS = 7;
export const MAX_DEAD = 10_000;
/** The longest that anything is kept for a peer (reference/limits.md, Kept session), and as long again: its owner erases it before. */
const KEPT_DAYS = 2;
/** How long the ids of ended commands are known (reference/limits.md, Request: dedup window). */
const COMMANDS_KEPT_MS = 600_000;

/** How much history is kept. What of it is too much goes, the oldest first. */
export interface Retention {
  /** Readings as they were reported. */
  readonly rawDays: number;
  readonly rawPerUnit: number;
  readonly minuteDays: number;
  readonly hourDays: number;
  /** Of the whole file. */
  readonly maxOctets: number;
}

export interface UpkeepOptions {
  readonly port: SqlitePort;
  readonly commits: GroupCommit;
  readonly store: EmbeddedStore;
  readonly backups: Backups | undefined;
  readonly retention: Retention;
  /** Those in use. */
  readonly queues: () => readonly EmbeddedQueue[];
  /** The position up to which courses are made. */
  readonly downsampled: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the store needs done while the base runs: courses, retention, backups, corrected times. One thing at a time. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  /** Reports behind it are of this run. */
  readonly #before: number;
  #downsampled: number;
  #clockWas: { readonly now: number; readonly monotonic: number };
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  #sampling: Promise<void> = Promise.resolve();
  #sincePrune = Number.POSITIVE_INFINITY;
  #prunes = 0;
  #isStopped = false;
  #isRedated = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    this.#before = options.store.lastReport;
    this.#downsampled = options.downsampled;
    this.#clockWas = { now: options.clock.now(), monotonic: options.clock.monotonic() };
  }

  start(): void {
    this.#timer = this.#options.clock.after(DOWNSAMPLE_EVERY_MS, () => {
      this.#working = this.#round().finally(() => {
        this.#working = undefined;
        if (!this.#isStopped) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#working;
  }

  /** Puts all reports into their courses; also before a question about them, so that it sees the latest. One at a time. */
  downsample(): Promise<void> {
    const sampled = this.#sampling.then(() => this.#downsample());
    this.#sampling = sampled.catch(() => {});
    return sampled;
  }

  async #downsample(): Promise<void> {
    const { commits, store, clock } = this.#options;
    await this.#correctTimes();
    while (this.#downsampled < store.lastReport && clock.now() >= EARLIEST_MS && !this.#isStopped) {
      const upTo = Math.min(store.lastReport, this.#downsampled + REPORTS_AT_ONCE);
      const range = [this.#downsampled, upTo] as const;
      await commits.commit([
        ['addSeries', ...range],
        ['addMinutes', ...range],
        ['addHours', ...range],
        ['setMeta', 'downsampled', upTo],
      ]);
      this.#downsampled = upTo;
    }
  }

  async #round(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.downsample();
      this.#sincePrune += DOWNSAMPLE_EVERY_MS;
      if (this.#sincePrune < PRUNE_EVERY_MS || this.#isStopped) return;
      this.#sincePrune = 0;
      await this.#prune();
      if (!this.#isStopped) await this.#options.backups?.makeDaily();
    } catch (error) {
      // That the disk fails is said by the engine; the next round tries again.
      log.debug({ error: (error as Error).message }, 'upkeep of the store failed');
    }
  }

  /** A machine without a clock of its own begins at 1970, until the network tells it the time. */
  async #correctTimes(): Promise<void> {
    const { clock, commits, port, log } = this.#options;
    const was = this.#clockWas;
    this.#clockWas = { now: clock.now(), monotonic: clock.monotonic() };
    const jumpMs = this.#clockWas.now - was.now - (this.#clockWas.monotonic - was.monotonic);
    if (Math.abs(jumpMs) < JUMP_MS) return;
    log.warn({ jumpS: Math.round(jumpMs / 1_000) }, "the machine's clock was set");
    // What was dated ahead of the clock as it is now counts from now.
    if (jumpMs < 0) this.#isRedated = false;
    if (was.now >= EARLIEST_MS || this.#clockWas.now < EARLIEST_MS) return;
    // Behind what was dated before, and waits to be written still.
    await commits.commit([]);
    const jump = Math.round(jumpMs);
    const corrected = await port.change('correctTimes', jump, jump, this.#before, EARLIEST_MS);
    if (corrected > 0) log.info({ corrected }, 'the times of readings from before the clock was set are corrected');
  }

  async #prune(): Promise<void> {
    const { clock, port, retention, log } = this.#options;
    const now = clock.now();
    const { octets, walOctets } = await port.size();
    if (walOctets > WAL_ALARM_OCTETS)
      log.warn({ walOctets }, 'the write-ahead log of the store is large: the disk is slow, or full');
    await this.#redate(now);
    await this.#pruneReports(now, octets);
    await this.#tell(['pruneMinutes', now - retention.minuteDays * DAY_MS]);
    await this.#tell(['pruneHours', now - retention.hourDays * DAY_MS]);
    await this.#tell(['pruneCommands', now - COMMANDS_KEPT_MS]);
    await this.#tell(['pruneKept', now - KEPT_DAYS * DAY_MS]);
    const tooOld = await port.change('pruneDead', now - DEAD_DAYS * DAY_MS);
    for (const queue of this.#options.queues()) {
      const [dead] = await port.all('countDead', queue.name);
      const tooMany = (dead!.count as number) - MAX_DEAD;
      if (tooMany > 0) {
        await this.#tell(['dropOldestDead', queue.name, tooMany]);
        log.warn({ queue: queue.name, dropped: tooMany }, 'too many dead letters: the oldest are dropped');
      }
      if (tooMany > 0 || tooOld > 0) await queue.pruned();
    }
  }

  /** What was dated with a wrong clock, by this run or an earlier one, counts from now: else it were too old at once, or never. */
  async #redate(now: number): Promise<void> {
    if (now < EARLIEST_MS || this.#isRedated) return;
    for (const name of ['redateReports', 'redateDead', 'redateCommands', 'redateKept'] as const)
      await this.#options.port.change(name, now, EARLIEST_MS, now + DAY_MS);
    this.#isRedated = true;
  }

  async #pruneReports(now: number, octets: number): Promise<void> {
    const { port, retention } = this.#options;
    const before = now - retention.rawDays * DAY_MS;
    // Only what is in its courses may go, and in the units' saved states.
    const [saved] = (await port.all('meta')).filter(({ name }) => name === 'saved');
    const upTo = Math.min(this.#downsampled, (saved?.value as number | undefined) ?? 0);
    while (!this.#isStopped && (await port.change('pruneOldReports', ROWS_AT_ONCE, before, upTo)) === ROWS_AT_ONCE);
    if (this.#prunes % COUNT_EVERY_PRUNES === 0) {
      for (const { unit, count } of await port.all('countReports')) {
        const most = retention.rawPerUnit;
        for (let tooMany = (count as number) - most; tooMany > 0 && !this.#isStopped; tooMany -= ROWS_AT_ONCE)
          await port.change('pruneReportsOf', unit as string, upTo, Math.min(tooMany, ROWS_AT_ONCE));
      }
    }
    this.#prunes += 1;
    for (let left = octets; left > retention.maxOctets; left = (await port.size()).octets)
      if (this.#isStopped || (await port.change('pruneFirstReports', upTo, ROWS_AT_ONCE)) === 0) break;
  }

  async #tell(statement: Statement): Promise<void> {
    await this.#options.commits.commit([statement]);
  }
}
