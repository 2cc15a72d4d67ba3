import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Report } from '../base/core/messages.js';
import { Outboxes } from '../base/core/outboxes.js';
import { Router } from '../base/core/router.js';
import { EmbeddedEngine } from '../base/engine/embedded/embedded-engine.js';
import { MAX_GROUP } from '../base/engine/embedded/group-commit.js';
import { migrations } from '../base/engine/embedded/schema.js';
import { sql } from '../base/engine/embedded/sql.js';
import { openInThread } from '../base/engine/embedded/sqlite-thread.js';
import { systemClock, systemRandom } from '../base/system.js';
import thermometer from '../units/thermometer.js';
import { type Distribution, distribution } from './distribution.js';
import { keepAll, quietLog } from './quiet.js';

/** Units that report at the same time, each the next when the one before is acknowledged. */
const UNITS = 256;
const REPORTS = 60_000;
/** Of one unit alone. */
const ALONE = 2_000;
/** Each side so often, one after the other. */
const ROUNDS = 5;

export interface DurableRow {
  readonly what: string;
  /** Medians of the rounds. */
  readonly perSecond: number;
  readonly ms: Distribution | undefined;
}

const fields = { temperature: 21.5, humidity: 54.9 };

/**
 * Reports through router and store, each acknowledged when it is on disk, beside what SQLite itself takes: bare inserts into
 * the same table, with the same settings and as many in one transaction.
 */
export async function durableReports(): Promise<readonly DurableRow[]> {
  const ours: number[] = [];
  const ceiling: number[] = [];
  const alone: Distribution[] = [];
  let ms: Distribution | undefined;
  for (let round = 0; round < ROUNDS; round += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
    try {
      ceiling.push(bareInserts(join(folder, 'bare.db')));
      const measured = await throughRouter(join(folder, 'baseunit.db'), UNITS, REPORTS);
      ours.push(measured.perSecond);
      ms = measured.ms;
      alone.push((await throughRouter(join(folder, 'alone.db'), 1, ALONE)).ms);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return [
    { what: `SQLite alone, ${MAX_GROUP} inserts a commit`, perSecond: median(ceiling), ms: undefined },
    { what: `reports of ${UNITS} units, acknowledged when on disk`, perSecond: median(ours), ms },
    { what: 'reports of one unit alone', perSecond: median(alone.map(({ p50 }) => 1_000 / p50)), ms: alone.at(-1) },
  ];
}

function bareInserts(path: string): number {
  const database = new Database(path);
  for (const pragma of ['locking_mode = EXCLUSIVE', 'journal_mode = WAL', 'synchronous = FULL', 'secure_delete = ON'])
    database.pragma(pragma);
  database.pragma('wal_autocheckpoint = 1000');
  for (const step of migrations) database.exec(step);
  const insert = database.prepare(sql.addReport);
  const text = JSON.stringify(fields);
  const group = database.transaction((from: number) => {
    for (let position = from; position < from + MAX_GROUP; position += 1) {
      const now = Date.now();
      insert.run(position, `meter-${position % UNITS}`, 'reading', 3, position, now, now, 0, text);
    }
  });
  const startedAt = performance.now();
  for (let from = 1; from <= REPORTS; from += MAX_GROUP) group(from);
  const tookMs = performance.now() - startedAt;
  database.close();
  return (REPORTS / tookMs) * 1_000;
}

async function throughRouter(
  file: string,
  units: number,
  reports: number,
): Promise<{ readonly perSecond: number; readonly ms: Distribution }> {
  const parts = { clock: systemClock, random: systemRandom, log: quietLog };
  const engine = await EmbeddedEngine.open({ file, retention: keepAll, open: openInThread, ...parts });
  const { bus, store } = engine;
  const router = new Router({ bus, store, outboxes: new Outboxes(), ...parts });
  const uids = Array.from({ length: units }, (_, index) => `meter-${index}`);
  for (const uid of uids) {
    router.add({ uid, definition: thermometer });
    router.hello({ uid, boot: 3, nonce: 1, version: '1.0.0' });
  }
  const published: Report[] = [];
  bus.subscribe('report', (report) => void published.push(report));
  const tookMs: number[] = [];
  const startedAt = performance.now();
  await Promise.all(
    uids.map(async (uid) => {
      for (let sequence = 1; sequence <= reports / units; sequence += 1) {
        const sentAt = performance.now();
        const identity = { boot: 3, sequence };
        await router.report({ uid, report: 'reading', fields, measuredAt: systemClock.now(), identity });
        tookMs.push(performance.now() - sentAt);
      }
    }),
  );
  const perSecond = (tookMs.length / (performance.now() - startedAt)) * 1_000;
  if (published.length !== tookMs.length) throw new Error(`${published.length} of ${tookMs.length} published`);
  router.stop();
  await engine.close();
  return { perSecond, ms: distribution(tookMs) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
