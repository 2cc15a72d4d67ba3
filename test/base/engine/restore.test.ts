import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Command, Outcome } from '../../../base/core/messages.js';
import type { StoredState } from '../../../base/core/store.js';
import { type Restored, restoreStore } from '../../../base/engine/embedded/restore.js';
import { folder, openEngine, report } from './support/open-engine.js';

const state = { ownBoot: 4, wireId: 1_000, drift: [], told: { state: 'online' as const }, last: {} };
const command = (id: string): Command => ({
  kind: 'command',
  id,
  unit: 'lamp',
  command: 'setColor',
  fields: {},
  source: 'api',
  acceptedAt: 1,
  expiresAt: 2,
});
const outcome = (id: string): Outcome => ({
  kind: 'outcome',
  id,
  unit: 'lamp',
  command: 'setColor',
  outcome: 'ok',
  source: 'api',
  at: 5,
});
const stored = (ordinal: number, id: string) =>
  ({ kind: 'command', command: { ordinal, command: command(id), wireId: 1, timeoutMs: 5, isPatient: true } }) as const;

/** Random octets of which no two are equal. */
const counting = () => {
  let next = 0;
  return { octets: (count: number) => Uint8Array.from({ length: count }, () => ++next), fraction: () => 0 };
};

interface House {
  readonly place: string;
  readonly store: string;
  readonly backup: string;
  /** The files there are, each with what is in it. */
  files(): Record<string, string>;
  restore(backup?: string): Restored;
  load(): Promise<StoredState>;
}

/** A store that went on after its backup: report 1 and two commands before, report 2 and an outcome after. */
async function house(): Promise<House> {
  const place = folder();
  const store = join(place, 'baseunit.db');
  const engine = await openEngine({ file: store, backups: join(place, 'backups') });
  for (const unit of ['lamp', 'hall'])
    await engine.store.commit([{ kind: 'unit', unit: { unit, state: { ...state, nonce: 7 } } }]);
  await engine.store.commit([{ kind: 'report', report: report('lamp', 1) }, stored(1, 'done'), stored(2, 'open')]);
  await engine.store.commit([{ kind: 'outcome', ordinal: 1, outcome: outcome('done') }]);
  const backup = await engine.store.backup();
  await engine.store.commit([{ kind: 'report', report: report('lamp', 2) }]);
  await engine.store.commit([{ kind: 'outcome', ordinal: 2, outcome: outcome('open') }]);
  await engine.close();
  return {
    place,
    store,
    backup,
    files: () =>
      Object.fromEntries(
        (readdirSync(place, { recursive: true }) as string[])
          .filter((name) => statSync(join(place, name)).isFile())
          .sort()
          .map((name) => [
            name,
            createHash('sha256')
              .update(readFileSync(join(place, name)))
              .digest('hex'),
          ]),
      ),
    restore: (from = backup) => restoreStore({ backup: from, store, stamp: 'now', random: counting() }),
    load: async () => {
      const opened = await openEngine({ file: store });
      const loaded = await opened.store.load();
      await opened.close();
      return loaded;
    },
  };
}

describe('a backup that is brought back', () => {
  it('takes the place of the store, which is kept; it stays itself as it was', async () => {
    const { store, backup, restore, load, files } = await house();
    const before = files();
    expect(restore()).toEqual({ before: `${store}.before-restore-now`, commandsLeftOut: 1 });
    const after = files();
    expect(Object.keys(after)).toEqual([
      'backups/baseunit-2026-01-01.db',
      'baseunit.db',
      'baseunit.db.before-restore-now',
    ]);
    expect(after['backups/baseunit-2026-01-01.db']).toBe(before['backups/baseunit-2026-01-01.db']);
    expect(statSync(store).mode & 0o777).toBe(0o600);
    expect((await load()).reports.map(({ sequence }) => sequence)).toEqual([1]);
    // And that can be brought back in turn.
    restoreStore({ backup: `${store}.before-restore-now`, store, stamp: 'later', random: counting() });
    expect((await load()).reports.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect(existsSync(backup)).toBe(true);
  });

  it('comes without the commands that had no outcome, and with those that had', async () => {
    const { restore, load } = await house();
    expect(restore().commandsLeftOut).toBe(1);
    const { commands } = await load();
    expect(commands.map(({ command: { id }, outcome: ended }) => [id, ended?.outcome])).toEqual([['done', 'ok']]);
  });

  it('numbers its commands from another place, each unit from its own, and leaves the rest of their states', async () => {
    const { restore, load } = await house();
    restore();
    const { units } = await load();
    expect(new Map(units.map((unit) => [unit.unit, unit.state]))).toEqual(
      new Map([
        ['hall', { ...state, nonce: 7, wireId: 0x01020304 }],
        ['lamp', { ...state, nonce: 7, wireId: 0x05060708 }],
      ]),
    );
  });

  it('may hold a state that cannot be read: the rest comes back', async () => {
    const { backup, restore, load } = await house();
    new Database(backup).exec("UPDATE units SET state = '{' WHERE unit = 'hall'").close();
    restore();
    expect((await load()).units.map(({ unit }) => unit)).toEqual(['lamp']);
  });

  it('takes the place of a store that is missing, empty or damaged, whose write-ahead log it does not inherit', async () => {
    const { store, restore, load, files } = await house();
    rmSync(store);
    expect(restore()).toEqual({ before: undefined, commandsLeftOut: 1 });
    expect((await load()).reports).toHaveLength(1);

    const wal = Buffer.alloc(5_000, 7);
    for (const content of [Buffer.alloc(0), Buffer.alloc(8_192, 1)]) {
      rmSync(`${store}.before-restore-now`, { force: true });
      writeFileSync(store, content);
      writeFileSync(`${store}-wal`, wal);
      expect(restore().before).toBe(`${store}.before-restore-now`);
      expect(readFileSync(`${store}.before-restore-now`)).toEqual(content);
      expect(existsSync(`${store}-wal`)).toBe(false);
      if (content.length === 0) expect(readFileSync(`${store}.before-restore-now-wal`)).toEqual(wal);
      expect((await load()).reports).toHaveLength(1);
    }
    expect(Object.keys(files()).filter((name) => name.includes('restoring'))).toEqual([]);
  });

  it('may be a store with a write-ahead log of its own, as one has that was set aside or copied after a crash', async () => {
    const { place, store, restore, load } = await house();
    const engine = await openEngine({ file: store });
    await engine.store.commit([{ kind: 'report', report: report('lamp', 3) }]);
    const crashed = join(place, 'crashed.db');
    copyFileSync(store, crashed);
    copyFileSync(`${store}-wal`, `${crashed}-wal`);
    await engine.close();
    restore();
    restoreStore({ backup: crashed, store, stamp: 'later', random: counting() });
    expect((await load()).reports.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(existsSync(`${crashed}-wal`)).toBe(true);
  });

  it('is not disturbed by what an interrupted one left', async () => {
    const { store, restore, load, files } = await house();
    for (const suffix of ['', '-journal', '-wal', '.new']) writeFileSync(`${store}.restoring-4194305${suffix}`, 'rest');
    restore();
    expect(Object.keys(files()).filter((name) => name.includes('restoring'))).toEqual([]);
    expect((await load()).reports).toHaveLength(1);
  });

  it('comes without what was kept for peers, and with a number of its run that none behind it had', async () => {
    const { store, place, load } = await house();
    const engine = await openEngine({ file: store, backups: join(place, 'backups') });
    await engine.store.commit([
      { kind: 'run', run: 1_000 },
      { kind: 'keep', kept: { position: 1, unit: 'lamp', octets: Uint8Array.of(1), at: 1 } },
    ]);
    rmSync(join(place, 'backups'), { recursive: true });
    const backup = await engine.store.backup();
    await engine.close();
    restoreStore({ backup, store, stamp: 'now', random: counting() });
    const { kept, lastRun } = await load();
    // Each unit's wire id takes four octets of the counting ones, behind the run's three.
    expect([kept, lastRun]).toEqual([[], 1_000 + 0x010203]);
  });

  it('may be of an earlier version', async () => {
    const { backup, restore, load } = await house();
    new Database(backup).exec('DROP TABLE kept; DROP TABLE records; PRAGMA user_version = 1').close();
    expect(restore()).toMatchObject({ commandsLeftOut: 1 });
    expect(await load()).toMatchObject({ kept: [], lastRun: 0, reports: [{ sequence: 1 }] });
  });

  it('of an earlier version is erased from as well', async () => {
    const { backup, store, place, restore, load } = await house();
    new Database(backup).exec('DROP TABLE kept; DROP TABLE records; PRAGMA user_version = 1').close();
    const engine = await openEngine({ file: store, backups: join(place, 'backups') });
    await engine.store.forget('lamp');
    await engine.close();
    restore();
    expect((await load()).units.map(({ unit }) => unit)).toEqual(['hall']);
  });
});

describe('what cannot be brought back leaves everything as it was', () => {
  const cases: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ['a file that is not there', () => {}, /no such file/],
    ['a file that is no database', (path) => writeFileSync(path, 'readings'.repeat(1_000)), /not a database/],
    ['an empty file', (path) => writeFileSync(path, ''), /not a store of baseunit/],
    [
      'a database of somebody else',
      (path) => void new Database(path).exec('CREATE TABLE songs (title TEXT)').close(),
      /not a store of baseunit/,
    ],
    [
      "somebody else's database that has our version",
      (path) => void new Database(path).exec('CREATE TABLE songs (title TEXT); PRAGMA user_version = 1').close(),
      /no such table/,
    ],
  ];

  it.each(cases)('%s', async (_, make, why) => {
    const { place, restore, files } = await house();
    const wrong = join(place, 'wrong.db');
    make(wrong);
    const before = files();
    expect(() => restore(wrong)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    expect(() => restore(wrong)).toThrow(why);
    expect(() => restore(wrong)).toThrow(/wrong\.db cannot be restored: .*; nothing was changed$/);
    expect(files()).toEqual(before);
  });

  it('a damaged backup', async () => {
    const { place, backup, restore, files } = await house();
    const damaged = join(place, 'damaged.db');
    const octets = readFileSync(backup);
    // A page of a table, not the first.
    octets.fill(0xff, 4_096, 3 * 4_096);
    writeFileSync(damaged, octets);
    const before = files();
    expect(() => restore(damaged)).toThrow(/damaged\.db cannot be restored/);
    expect(files()).toEqual(before);
  });

  it('a backup of a later version', async () => {
    const { place, backup, restore, files } = await house();
    const later = join(place, 'later.db');
    copyFileSync(backup, later);
    new Database(later).exec('PRAGMA user_version = 999').close();
    const before = files();
    expect(() => restore(later)).toThrow(/later version/);
    expect(files()).toEqual(before);
  });

  it('the store itself, by whatever name', async () => {
    const { place, store, restore, files } = await house();
    linkSync(store, join(place, 'other-name.db'));
    const before = files();
    for (const name of [store, join(place, 'other-name.db')])
      expect(() => restore(name)).toThrow(/is the store itself/);
    expect(files()).toEqual(before);
  });

  it('anything, while a base runs with the store', async () => {
    const { store, restore, load } = await house();
    const engine = await openEngine({ file: store });
    expect(() => restore()).toThrow(
      expect.objectContaining({ code: 'store-unusable', message: expect.stringMatching(/is in use; stop the base/) }),
    );
    await engine.store.commit([{ kind: 'report', report: report('lamp', 3) }]);
    await engine.close();
    expect((await load()).reports.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });
});

it('what others may read becomes a store that they may not', async () => {
  const { backup, store, restore } = await house();
  chmodSync(backup, 0o644);
  restore();
  expect(statSync(store).mode & 0o777).toBe(0o600);
});
