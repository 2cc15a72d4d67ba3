import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Report } from '../../../base/core/messages.js';
import type { Change } from '../../../base/core/store.js';
import { BACKUPS_KEPT } from '../../../base/engine/embedded/backups.js';
import type { EmbeddedEngine } from '../../../base/engine/embedded/embedded-engine.js';
import { MAX_COLUMNS } from '../../../base/engine/embedded/history.js';
import { MAX_COUNTED, MAX_SERIES } from '../../../base/engine/embedded/sql.js';
import { checkBackup, WAL_ALARM_OCTETS } from '../../../base/engine/embedded/sqlite-file.js';
import { type OpenFile, openHere, type SqlitePort } from '../../../base/engine/embedded/sqlite-port.js';
import { DOWNSAMPLE_EVERY_MS, MAX_DEAD, PRUNE_EVERY_MS } from '../../../base/engine/embedded/upkeep.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { folder, openEngine, report } from './support/open-engine.js';

const DAY = 86_400_000;
const start = Date.UTC(2026, 0, 1);

let clock: ManualClock;
let log: QuietLog;
let port: SqlitePort;

beforeEach(() => {
  clock = new ManualClock(start);
  log = new QuietLog();
});

/** Opens here, and lets the test ask the file itself. */
const open: OpenFile = async (path, stamp) => {
  const got = await openHere(path, stamp);
  port = got.port;
  return got;
};

async function engineWith(options: Parameters<typeof openEngine>[0] = {}): Promise<EmbeddedEngine> {
  return openEngine({ clock, log, open, ...options });
}

/** What the base does every few seconds: units' states are saved, so that old reports may go. */
async function saved(engine: EmbeddedEngine): Promise<void> {
  await engine.store.save([], engine.store.mark());
}

async function reports(engine: EmbeddedEngine, unit: string, count: number, everyMs = 1_000): Promise<void> {
  for (let index = 1; index <= count; index += 1) {
    await engine.store.commit([
      { kind: 'report', report: report(unit, index, { measuredAt: clock.now(), receivedAt: clock.now() }) },
    ]);
    clock.setNow(clock.now() + everyMs);
  }
}

const count = async (table: 'reports' | 'minutes' | 'hours'): Promise<number> => {
  if (table === 'reports') return (await port.all('countReports')).reduce((sum, row) => sum + Number(row.count), 0);
  return (await port.all(table, 'hall', 'reading', 0, 9e15, 1_000_000)).length / 2;
};

test('courses are made every five seconds, each report once', async () => {
  const engine = await engineWith();
  await engine.store.commit([{ kind: 'report', report: report('hall', 1) }]);
  expect(await count('minutes')).toBe(0);
  await clock.advance(DOWNSAMPLE_EVERY_MS);
  expect(await count('minutes')).toBe(1);
  await clock.advance(10 * DOWNSAMPLE_EVERY_MS);
  const [row] = await port.all('minutes', 'hall', 'reading', 0, 9e15, 10);
  expect(row).toMatchObject({ field: 'humidity', count: 1, mean: 40 });
});

test('questions that come at the same time count no report twice', async () => {
  const engine = await engineWith();
  await reports(engine, 'hall', 10);
  const query = { unit: 'hall', report: 'reading', from: 0, to: 9e15, resolution: 'hour', limit: 9 } as const;
  const answers = await Promise.all([
    engine.store.history(query),
    engine.store.history(query),
    clock.advance(DOWNSAMPLE_EVERY_MS),
  ]);
  expect(answers[0]).toMatchObject({ fields: { temperature: { count: [10] } } });
  expect(await engine.store.history(query)).toEqual(answers[0]);
});

test.each([
  [WAL_ALARM_OCTETS, 0],
  [WAL_ALARM_OCTETS + 1, 1],
])('a write-ahead log of %i octets is said so often: %i', async (walOctets, times) => {
  await engineWith({
    open: async (path, stamp) => {
      const { port: own, opened } = await openHere(path, stamp);
      return { port: { ...own, size: async () => ({ octets: 0, walOctets }) }, opened };
    },
  });
  await clock.advance(DOWNSAMPLE_EVERY_MS);
  expect(log.lines.filter(({ message }) => message.startsWith('the write-ahead log'))).toHaveLength(times);
});

describe('what is kept', () => {
  test('raw readings for so many days, their courses longer', async () => {
    const engine = await engineWith({ retention: { rawDays: 7, minuteDays: 30, hourDays: 60 } });
    await reports(engine, 'hall', 3);
    await saved(engine);
    const settled = async (days: number): Promise<number[]> => {
      clock.setNow(start + days * DAY + 10_000);
      await clock.advance(2 * PRUNE_EVERY_MS);
      return [await count('reports'), await count('minutes'), await count('hours')];
    };
    expect(await settled(6.9)).toEqual([3, 1, 1]);
    expect(await settled(7)).toEqual([0, 1, 1]);
    expect(await settled(29.9)).toEqual([0, 1, 1]);
    expect(await settled(30)).toEqual([0, 0, 1]);
    expect(await settled(60)).toEqual([0, 0, 0]);
  });

  test('so many of each unit: one that talks much does not push out the others', async () => {
    const engine = await engineWith({ retention: { rawPerUnit: 50 } });
    await reports(engine, 'hall', 120, 10);
    await reports(engine, 'quiet', 50, 10);
    await saved(engine);
    await clock.advance(11 * PRUNE_EVERY_MS);
    const rows = await port.all('countReports');
    expect(rows).toEqual([
      { unit: 'hall', count: 50 },
      { unit: 'quiet', count: 50 },
    ]);
    const kept = await engine.store.history({
      unit: 'hall',
      report: 'reading',
      from: 0,
      to: 9e15,
      resolution: 'raw',
      limit: 100,
    });
    expect(kept.at[0]).toBe(start + 70 * 10);
  });

  test('so many octets in all: the oldest readings go', async () => {
    const engine = await engineWith({ retention: { maxOctets: 512 * 1_024 } });
    const fields = { text: 'x'.repeat(900) };
    for (let index = 1; index <= 2_500; index += 50)
      await engine.store.commit(
        Array.from({ length: 50 }, (_, more): Change => {
          const at = clock.now() + index + more;
          return { kind: 'report', report: report('hall', index + more, { fields, measuredAt: at, receivedAt: at }) };
        }),
      );
    await saved(engine);
    expect((await port.size()).octets).toBeGreaterThan(2 * 1_024 * 1_024);
    await clock.advance(2 * PRUNE_EVERY_MS);
    expect((await port.size()).octets).toBeLessThan(512 * 1_024 + 1_000_000);
    expect(await count('reports')).toBeLessThan(1_000);
  });

  test('nothing that is not in the units’ saved states', async () => {
    const engine = await engineWith({ retention: { rawDays: 1 } });
    await reports(engine, 'hall', 3);
    clock.setNow(start + 3 * DAY);
    await clock.advance(3 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(3);
    await saved(engine);
    await clock.advance(2 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(0);
  });

  test('dead letters for seven days, and ten thousand of a queue; who counts them is told', async () => {
    const engine = await engineWith();
    const queue = engine.queue('hook');
    const told: number[] = [];
    queue.whenPruned((dead) => told.push(dead));
    const item = (id: number) => queue.addition({ id: String(id), key: 'hall', body: '{}' }, clock.now(), 'full');
    for (let from = 0; from < MAX_DEAD + 5; from += 401)
      await engine.store.commit(
        Array.from(
          { length: Math.min(401, MAX_DEAD + 5 - from) },
          (_, index): Change => ({ kind: 'item', addition: item(from + index) }),
        ),
      );
    await clock.advance(2 * PRUNE_EVERY_MS);
    expect(told).toEqual([MAX_DEAD]);
    expect((await queue.deadLetters(0, 1))[0]).toMatchObject({ id: '5' });
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
      'too many dead letters: the oldest are dropped',
    ]);
    clock.setNow(start + 7 * DAY + 10);
    await clock.advance(2 * PRUNE_EVERY_MS);
    expect(told).toEqual([MAX_DEAD, 0]);
  });
});

describe('a machine whose clock begins at 1970', () => {
  test('has the right times of readings once it is set, and no course of 1970', async () => {
    clock.setNow(3_000);
    const engine = await engineWith();
    await reports(engine, 'hall', 2);
    await clock.advance(2 * DOWNSAMPLE_EVERY_MS);
    expect(await count('minutes')).toBe(0);
    const wasAt = clock.now();
    clock.setNow(start);
    await clock.advance(2 * DOWNSAMPLE_EVERY_MS);
    const query = { unit: 'hall', report: 'reading', from: start - DAY, to: start + DAY, limit: 9 } as const;
    const { at } = await engine.store.history({ ...query, resolution: 'raw' });
    expect(at).toEqual([3_000 + start - wasAt, 4_000 + start - wasAt]);
    const { at: minutes } = await engine.store.history({ ...query, resolution: 'minute' });
    expect(minutes.length).toBeGreaterThan(0);
    await saved(engine);
    await clock.advance(3 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(2);
    // Two hours back loses nothing either.
    clock.setNow(clock.now() - 7_200_000);
    await clock.advance(3 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(2);
    expect(log.lines.map(({ message }) => message)).toEqual([
      "the machine's clock was set",
      'the times of readings from before the clock was set are corrected',
      "the machine's clock was set",
    ]);
  });

  test('keeps what an earlier run dated 1970 as if it were of now: readings, dead letters, ids of commands', async () => {
    const file = join(folder(), 'baseunit.db');
    clock.setNow(3_000);
    const first = await engineWith({ file });
    await reports(first, 'hall', 2);
    const queue = first.queue('hook');
    await first.store.commit([
      { kind: 'item', addition: queue.addition({ id: 'a', key: 'hall', body: '{}' }, clock.now(), 'full') },
    ]);
    await first.close();
    clock = new ManualClock(start);
    const second = await engineWith({ file });
    await saved(second);
    await clock.advance(3 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(2);
    expect(await second.queue('hook').deadLetters(0, 9)).toHaveLength(1);
    clock.setNow(start + 8 * DAY);
    await clock.advance(3 * PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(0);
    expect(await second.queue('hook').deadLetters(0, 9)).toHaveLength(0);
  });
});

describe('backups', () => {
  test('one a day, the latest seven, whole, their owner’s alone', async () => {
    const place = folder();
    const backups = join(place, 'backups');
    const engine = await engineWith({ file: join(place, 'baseunit.db'), backups });
    await reports(engine, 'hall', 1);
    for (let day = 0; day < BACKUPS_KEPT + 3; day += 1) {
      clock.setNow(start + day * DAY);
      await clock.advance(2 * PRUNE_EVERY_MS);
      await expect
        .poll(() => existsSync(join(backups, `baseunit-${new Date(start + day * DAY).toISOString().slice(0, 10)}.db`)))
        .toBe(true);
    }
    const names = readdirSync(backups).sort();
    expect(names).toEqual(['04', '05', '06', '07', '08', '09', '10'].map((day) => `baseunit-2026-01-${day}.db`));
    for (const name of names) {
      checkBackup(join(backups, name));
      expect(statSync(join(backups, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(backups).mode & 0o777).toBe(0o700);
  });

  test('one more of the same day replaces the day’s', async () => {
    const place = folder();
    const engine = await engineWith({ file: join(place, 'baseunit.db'), backups: join(place, 'backups') });
    const first = await engine.store.backup();
    await reports(engine, 'hall', 1);
    const [second, same] = await Promise.all([engine.store.backup(), engine.store.backup()]);
    expect([second, same]).toEqual([first, first]);
    expect(readdirSync(join(place, 'backups'))).toEqual([basename(first)]);
    const copy = await openEngine({ file: second });
    expect((await copy.store.load()).reports).toHaveLength(1);
  });

  test('where none can be made it is said once, and all else goes on', async () => {
    const place = folder();
    const engine = await engineWith({
      file: join(place, 'baseunit.db'),
      backups: join(place, 'baseunit.db', 'backups'),
    });
    await clock.advance(5 * PRUNE_EVERY_MS);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await reports(engine, 'hall', 1);
    await expect(engine.store.backup()).rejects.toMatchObject({ code: 'store-failed' });
  });
});

describe('a unit that names its fields anew each time', () => {
  const from = start;
  const telemetry = (sequence: number, names: readonly string[]): Change => ({
    kind: 'report',
    report: report('board', sequence, {
      report: 'telemetry',
      fields: Object.fromEntries(names.map((name) => [name, 1])),
      measuredAt: from + sequence,
    }),
  });
  const series = async (): Promise<number> => {
    const rows = await port.all('minutes', 'board', 'telemetry', 0, 9e15, 1_000_000);
    return new Set(rows.map(({ field }) => field)).size;
  };

  test(`has courses of the first ${MAX_SERIES}, and no more; they go on, and others have theirs`, async () => {
    const engine = await engineWith();
    const names = Array.from({ length: MAX_SERIES + 10 }, (_, index) => `f${String(index).padStart(5, '0')}`);
    await engine.store.commit([telemetry(1, names.slice(0, MAX_SERIES - 1))]);
    await clock.advance(DOWNSAMPLE_EVERY_MS);
    await engine.store.commit([telemetry(2, names), { kind: 'report', report: report('hall', 1) }]);
    await clock.advance(DOWNSAMPLE_EVERY_MS);
    await engine.store.commit([telemetry(3, names)]);
    await clock.advance(DOWNSAMPLE_EVERY_MS);
    expect(await series()).toBe(MAX_SERIES);
    const rows = await port.all('minutes', 'board', 'telemetry', 0, 9e15, 1_000_000);
    expect(rows[0]).toMatchObject({ field: 'f00000', count: 3 });
    expect(await count('minutes')).toBe(1);
  });

  test(`shows ${MAX_COLUMNS} of them in one answer`, async () => {
    const engine = await engineWith();
    for (let sequence = 1; sequence <= 3; sequence += 1)
      await engine.store.commit([
        telemetry(
          sequence,
          Array.from({ length: 60 }, (_, index) => `f${sequence}-${index}`),
        ),
      ]);
    await clock.advance(DOWNSAMPLE_EVERY_MS);
    const query = { unit: 'board', report: 'telemetry', from: 0, to: 9e15, limit: 10 };
    for (const resolution of ['raw', 'minute'] as const) {
      const { fields, at } = await engine.store.history({ ...query, resolution });
      expect(Object.keys(fields)).toHaveLength(MAX_COLUMNS);
      expect(at).toHaveLength(resolution === 'raw' ? 3 : 1);
    }
  });
});

describe('a unit that says what no sum can hold', () => {
  const telemetry = (unit: string, sequence: number, fields: Report['fields']): Change => ({
    kind: 'report',
    report: report(unit, sequence, { report: 'telemetry', fields, measuredAt: start + sequence }),
  });
  const course = { report: 'telemetry', from: 0, to: 9e15, resolution: 'minute', limit: 9 } as const;

  test.each([
    // As whole numbers they fit 64 bits, and their sum does not.
    ['whole numbers whose sum overflows', [[9_007_199_254_740_992_000, 9_007_199_254_740_992_000]]],
    [
      'numbers whose sum is none',
      [
        [1e308, 1e308],
        [-1e308, -1e308],
      ],
    ],
    [
      'the largest numbers',
      [
        [Number.MAX_VALUE, Number.MAX_VALUE],
        [-Number.MAX_VALUE, -Number.MAX_VALUE],
      ],
    ],
  ])('%s keep no other from its course, and nothing from being pruned', async (_, groups) => {
    const engine = await engineWith({ retention: { rawDays: 1 } });
    for (const values of groups) {
      await engine.store.commit(values.map((x, index) => telemetry('board', index + 1, { x })));
      await clock.advance(DOWNSAMPLE_EVERY_MS);
    }
    await engine.store.commit([telemetry('hall', 1, { x: 3 })]);
    const { fields } = await engine.store.history({ ...course, unit: 'hall' });
    expect(fields).toEqual({ x: { count: [1], min: [3], mean: [3], max: [3] } });
    await saved(engine);
    clock.setNow(start + 2 * DAY);
    await clock.advance(PRUNE_EVERY_MS);
    expect(await count('reports')).toBe(0);
  });

  test(`numbers have a course up to ${MAX_COUNTED}, and none past it`, async () => {
    const engine = await engineWith();
    const fields = { x: MAX_COUNTED, y: -MAX_COUNTED, past: 1.001 * MAX_COUNTED, below: -1.001 * MAX_COUNTED };
    await engine.store.commit([telemetry('board', 1, fields), telemetry('board', 2, fields)]);
    const { fields: courses } = await engine.store.history({ ...course, unit: 'board' });
    expect(courses).toEqual({
      x: { count: [2], min: [MAX_COUNTED], mean: [MAX_COUNTED], max: [MAX_COUNTED] },
      y: { count: [2], min: [-MAX_COUNTED], mean: [-MAX_COUNTED], max: [-MAX_COUNTED] },
    });
  });

  test('names that are no text to others keep no other from its course', async () => {
    const engine = await engineWith();
    await engine.store.commit([
      telemetry('board', 1, { 'a\u0000b': 1, 'a\u0000c': 2, '\ud800': 3, '\udfff': 4, '': 5, "'": 6, é: 7 }),
      telemetry('hall', 1, { x: 3 }),
    ]);
    const { fields } = await engine.store.history({ ...course, unit: 'hall' });
    expect(fields).toMatchObject({ x: { count: [1] } });
    const { fields: odd } = await engine.store.history({ ...course, unit: 'board' });
    expect(odd).toMatchObject({ '': { mean: [5] }, "'": { mean: [6] }, é: { mean: [7] } });
  });
});

test('a course that has too many fields for one answer says so, and gives each moment whole', async () => {
  const engine = await engineWith();
  const telemetry = (sequence: number, first: number, at: number): Change => ({
    kind: 'report',
    report: report('board', sequence, {
      report: 'telemetry',
      fields: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`f${first + index}`, 1])),
      measuredAt: at,
    }),
  });
  const moments = Array.from({ length: 6 }, (_, minute) => start + minute * 60_000);
  await engine.store.commit(moments.flatMap((at, n) => [telemetry(2 * n, 0, at), telemetry(2 * n + 1, 50, at)]));
  const query = { unit: 'board', report: 'telemetry', to: 9e15, resolution: 'minute', limit: 4 } as const;
  const found: number[] = [];
  for (let from = 0; ; from = found.at(-1)! + 1) {
    const { at, fields, isCut } = await engine.store.history({ ...query, from });
    for (const each of Object.values(fields)) expect('count' in each && each.count).not.toContain(null);
    expect(Object.keys(fields)).toHaveLength(100);
    found.push(...at);
    if (!isCut) break;
  }
  expect(found).toEqual(moments);
});

test('what was kept for a peer for two days goes, whoever forgot it', async () => {
  const engine = await engineWith();
  const kept = (position: number, at: number): Change => ({
    kind: 'keep',
    kept: { position, unit: 'board', octets: Uint8Array.of(1), at },
  });
  await engine.store.commit([kept(1, start - 2 * DAY), kept(2, start - DAY)]);
  await clock.advance(PRUNE_EVERY_MS);
  expect((await port.all('keptBehind', 0, 10)).map(({ position }) => position)).toEqual([2]);
});
