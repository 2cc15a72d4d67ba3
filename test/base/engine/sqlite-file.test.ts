import { cpSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { migrations } from '../../../base/engine/embedded/schema.js';
import { SqliteFile } from '../../../base/engine/embedded/sqlite-file.js';
import { folder } from './support/open-engine.js';

/** A closed store with a hundred units in it. */
function filled(): string {
  const path = join(folder(), 'baseunit.db');
  const { file } = SqliteFile.open(path, 's');
  for (let index = 0; index < 100; index += 1) file.runGroup([[['setUnit', `unit-${index}`, 'x'.repeat(200)]]]);
  file.close();
  return path;
}

const unitsIn = (path: string): number => {
  const { file } = SqliteFile.open(path, 'again');
  const { length } = file.all('units', []);
  file.close();
  return length;
};

/** Changes octets of a file in place. */
function spoil(path: string, change: (octets: Buffer) => void): void {
  const octets = readFileSync(path);
  change(octets);
  writeFileSync(path, octets);
}

test('a new file is its owner’s alone, with its write-ahead log, and of the newest version', () => {
  const path = join(folder(), 'baseunit.db');
  const { file, opened } = SqliteFile.open(path, 's');
  expect(opened).toEqual({ isNew: true });
  file.runGroup([[['setUnit', 'lamp', '{}']]]);
  for (const name of [path, `${path}-wal`]) expect(statSync(name).mode & 0o777).toBe(0o600);
  // One connection alone: there is no memory shared with others.
  expect(existsSync(`${path}-shm`)).toBe(false);
  file.close();
  expect(SqliteFile.open(path, 's').opened).toEqual({ isNew: false });
});

describe('a file that is damaged is set aside, and a new one begun', () => {
  test.each<[string, (path: string) => void]>([
    ['cut in half', (path) => truncateSync(path, statSync(path).size / 2)],
    ['cut within a page', (path) => truncateSync(path, 4_096 + 100)],
    ['garbage', (path) => writeFileSync(path, 'this is no database at all, and never was one'.repeat(200))],
    ['another header', (path) => spoil(path, (octets) => octets.write('SQLite format 4'))],
    ['a page of zeros', (path) => spoil(path, (octets) => octets.fill(0, 4_096, 8_192))],
    ['a flipped bit in a page’s head', (path) => spoil(path, (octets) => octets.writeUInt8(octets[4_096]! ^ 8, 4_096))],
  ])('%s', (_, damage) => {
    const path = filled();
    damage(path);
    const before = readFileSync(path);
    const { file, opened } = SqliteFile.open(path, '2026-11-26');
    expect(opened).toMatchObject({ isNew: true, damaged: { movedTo: `${path}.damaged-2026-11-26`, reason: /./ } });
    expect(readFileSync(`${path}.damaged-2026-11-26`).equals(before)).toBe(true);
    expect(file.runGroup([[['setUnit', 'lamp', '{}']]])).toEqual([null]);
    file.close();
    expect(unitsIn(path)).toBe(1);
  });

  test('missing, with its write-ahead log left: that is set aside too, not dropped', () => {
    const path = join(folder(), 'baseunit.db');
    const { file } = SqliteFile.open(path, 's');
    file.runGroup([[['setUnit', 'lamp', '{}']]]);
    const copy = folder();
    cpSync(`${path}-wal`, join(copy, 'baseunit.db-wal'));
    file.close();
    const { file: second, opened } = SqliteFile.open(join(copy, 'baseunit.db'), 'x');
    second.close();
    expect(opened.damaged?.reason).toMatch(/missing or empty/);
    expect(readdirSync(copy)).toContain('baseunit.db.damaged-x-wal');
  });

  test('empty or missing without one: simply new', () => {
    const path = filled();
    writeFileSync(path, '');
    expect(SqliteFile.open(path, 's').opened).toEqual({ isNew: true });
  });

  test('a bit flipped anywhere: it is set aside, or opens; it never keeps the base from starting', () => {
    const path = filled();
    const whole = readFileSync(path);
    const outcomes = { aside: 0, opened: 0 };
    for (let round = 0; round < 200; round += 1) {
      const octets = Buffer.from(whole);
      const at = Math.floor((round / 200) * octets.length);
      octets.writeUInt8(octets[at]! ^ (1 << (round % 8)), at);
      const place = join(folder(), 'baseunit.db');
      writeFileSync(place, octets);
      const { file, opened } = SqliteFile.open(place, 's');
      outcomes[opened.damaged === undefined ? 'opened' : 'aside'] += 1;
      expect(file.runGroup([[['setUnit', 'lamp', '{}']]])).toEqual([null]);
      file.close();
    }
    expect(outcomes.aside).toBeGreaterThan(0);
    expect(outcomes.opened).toBeGreaterThan(0);
  });
});

describe('a file that an earlier version made', () => {
  const added = 'CREATE TABLE added (x INTEGER) STRICT; INSERT INTO added VALUES (7);';

  test('is brought up to date with all that is in it, and kept as it was', () => {
    const path = filled();
    const { file, opened } = SqliteFile.open(path, 's', [...migrations, added]);
    const keptAt = `${path}.version-${migrations.length}`;
    expect(opened).toEqual({ isNew: false, migrated: { from: migrations.length, keptAt } });
    expect(file.all('units', [])).toHaveLength(100);
    file.close();
    expect(statSync(keptAt).mode & 0o777).toBe(0o600);
    expect(unitsIn(keptAt)).toBe(100);
    const { file: again, opened: found } = SqliteFile.open(path, 's', [...migrations, added]);
    again.close();
    expect(found).toEqual({ isNew: false });
  });

  test('of the first version has room for what is kept, and all that it had', () => {
    const path = join(folder(), 'baseunit.db');
    const { file } = SqliteFile.open(path, 's', migrations.slice(0, 1));
    file.runGroup([[['setUnit', 'lamp', '{}']]]);
    file.close();
    const { file: again, opened } = SqliteFile.open(path, 's');
    expect(opened).toMatchObject({ isNew: false, migrated: { from: 1 } });
    expect(again.runGroup([[['addKept', 1, 'lamp', 'AQ==', 5]]])).toEqual([null]);
    expect([again.all('units', []).length, again.all('keptBehind', [0, 10])]).toEqual([
      1,
      [{ position: 1, unit: 'lamp', octets: 'AQ==', at: 5 }],
    ]);
    again.close();
  });

  test('of the second version has room for records, and all that it had', () => {
    const path = join(folder(), 'baseunit.db');
    const { file } = SqliteFile.open(path, 's', migrations.slice(0, 2));
    file.runGroup([[['setUnit', 'lamp', '{}']], [['addKept', 1, 'lamp', 'AQ==', 5]], [['setMeta', 'run', 7]]]);
    file.close();
    const { file: again, opened } = SqliteFile.open(path, 's');
    expect(opened).toMatchObject({ isNew: false, migrated: { from: 2, keptAt: `${path}.version-2` } });
    expect(again.all('recordsBehind', ['', '', 10])).toEqual([]);
    expect(
      again.runGroup([[['setRecord', 'elfin', 'a', 'lamp', '1']], [['setRecord', 'elfin', 'b', null, '2']]]),
    ).toEqual([null, null]);
    expect([again.all('units', []), again.all('keptBehind', [0, 10]), again.all('meta', [])]).toEqual([
      [{ unit: 'lamp', state: '{}' }],
      [{ position: 1, unit: 'lamp', octets: 'AQ==', at: 5 }],
      [{ name: 'run', value: 7 }],
    ]);
    expect(again.all('recordsBehind', ['elfin', 'a', 10])).toEqual([
      { handler: 'elfin', key: 'b', unit: null, value: '2' },
    ]);
    again.close();
    const { file: old } = SqliteFile.open(`${path}.version-2`, 's', migrations.slice(0, 2));
    expect(old.all('units', [])).toHaveLength(1);
    old.close();
  });

  test('a step that fails leaves it as it was', () => {
    const path = filled();
    expect(() => SqliteFile.open(path, 's', [...migrations, `${added} NONSENSE`])).toThrow(/syntax/);
    expect(unitsIn(path)).toBe(100);
  });
});

describe('a file that is not ours to use is left alone', () => {
  const refusal = (path: string): string | undefined => {
    try {
      SqliteFile.open(path, 's').file.close();
      return undefined;
    } catch (error) {
      return (error as { readonly code: string }).code;
    }
  };

  test('of a later version', () => {
    const path = filled();
    const database = new Database(path);
    database.pragma(`user_version = ${migrations.length + 1}`);
    database.close();
    expect(refusal(path)).toBe('TOO_NEW');
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  test('of another program', () => {
    const path = join(folder(), 'baseunit.db');
    const database = new Database(path);
    database.exec('CREATE TABLE theirs (x)');
    database.close();
    expect(refusal(path)).toBe('FOREIGN');
  });

  test('in a folder that cannot be written', () => {
    expect(refusal('/proc/baseunit.db')).toBeDefined();
  });
});

test('one statement that cannot be done fails its own list alone; a full disk fails all of them', () => {
  const path = join(folder(), 'baseunit.db');
  const { file } = SqliteFile.open(path, 's');
  const twice = [
    ['addCommand', 1, 'lamp', 'a', '{}', null],
    ['addCommand', 1, 'lamp', 'b', '{}', null],
  ] as const;
  expect(file.runGroup([[['setUnit', 'a', '{}']], twice, [['setUnit', 'b', '{}']]])).toEqual([
    null,
    { code: 'SQLITE_CONSTRAINT_PRIMARYKEY', message: expect.stringContaining('UNIQUE') },
    null,
  ]);
  expect(file.all('units', []).map(({ unit }) => unit)).toEqual(['a', 'b']);
  expect(file.all('commands', [])).toEqual([]);
  file.close();
});

test('erased, nothing of a unit is in any octet of the files', () => {
  const path = join(folder(), 'baseunit.db');
  const { file } = SqliteFile.open(path, 's');
  const marker = 'Zauberwort-';
  for (let index = 0; index < 400; index += 1) {
    const unit = index % 2 === 0 ? 'secret-unit' : 'other-unit';
    const text = `{"note":"${unit === 'secret-unit' ? marker : 'harmless'}${index}"}`;
    file.runGroup([
      [
        ['addReport', index + 1, unit, 'reading', 1, index + 1, index, index, 0, text],
        ['addItem', index + 1, 'hook', `${unit}/1/${index}`, unit, 10, text, 0, null, null],
        ['addCommand', index + 1, unit, `c${index}`, text, null],
      ],
    ]);
    if (index === 200) file.change('removeItem', [1]);
  }
  const octets = (): string => [path, `${path}-wal`].map((name) => readFileSync(name, 'latin1')).join('');
  expect(octets()).toContain(marker);
  file.erase('secret-unit');
  expect(octets()).not.toContain(marker);
  expect(octets()).not.toContain('secret-unit');
  expect(file.all('lastReport', [])).toEqual([{ position: 400 }]);
  file.close();
});
