import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SimulatedUnit } from '../../simulator/simulated-unit.js';
import { BaseProcess } from '../process/support/base-process.js';
import { type Simulated, simulated } from '../process/support/simulated.js';
import { baseunit, type Ended, onlyJson, temporaryFolder } from './support/program.js';

const http = { listen: '127.0.0.1:0' };
/** What a unit says of itself, to be found again wherever it is kept. */
const MARKER = 'marker-e7c1f0';
const away = { definition: 'led-lamp', address: '127.0.0.1:1', key: '0'.repeat(32) };

/** Files below a folder, with what is in them. */
const filesIn = (folder: string): { readonly name: string; readonly octets: Buffer }[] =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => ({ name, octets: readFileSync(join(folder, name)) }));

const holding = (folder: string, text: string): string[] =>
  filesIn(folder)
    .filter(({ octets }) => octets.includes(text))
    .map(({ name }) => name)
    .sort();

interface House {
  readonly barrel: Simulated;
  readonly base: BaseProcess;
  readonly configuration: object;
  run(...words: string[]): Promise<Ended>;
}

/** A base whose barrel said something, for which also a command and a webhook wait. */
async function house(): Promise<House> {
  const barrel = await simulated('rain-barrel', { uid: 'garden-barrel' });
  const thermometer = await simulated('thermometer');
  const configuration = {
    http,
    units: { known: { ...barrel.known(), ...thermometer.known(), away } },
    webhooks: [{ url: 'http://127.0.0.1:1/', secret: 'a secret', events: ['report'] }],
  };
  const base = await BaseProcess.start(configuration);
  await base.unitIs('garden-barrel', 'online', ({ state }) => state === 'online');
  await base.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  (barrel.units[0] as unknown as SimulatedUnit).report('valve', { note: MARKER });
  await base.unitIs('garden-barrel', 'reported', ({ last }) => last.valve?.fields.note === MARKER);
  return { barrel, base, configuration, run: (...words) => baseunit(words, { cwd: base.folder }) };
}

const without = (configuration: object, uid: string): object => {
  const copy = structuredClone(configuration) as { units: { known: Record<string, object> } };
  delete copy.units.known[uid];
  return copy;
};

test('backup and restore: with a base and without, what came after the backup is gone, and what was before is kept', async () => {
  const { base, run, configuration } = await house();
  const today = new Date().toISOString().slice(0, 10);
  const own = join(base.stateFolder, 'backups', `baseunit-${today}.db`);
  const [plain, named] = [await run('backup'), await run('backup', 'my.db', '--json')];
  expect(plain).toMatchObject({ code: 0, err: '', out: `The store is backed up in ${own}\n` });
  expect(onlyJson(named)).toEqual({ path: join(base.folder, 'my.db') });
  expect(readFileSync(join(base.folder, 'my.db'))).toEqual(readFileSync(own));
  for (const file of [own, join(base.folder, 'my.db')]) expect(statSync(file).mode & 0o777).toBe(0o600);
  const [again, nowhere] = [await run('backup', 'my.db'), await run('backup', 'no/folder/my.db')];
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('my.db is there already') });
  expect(nowhere).toMatchObject({ code: 2, err: expect.stringMatching(/cannot be written: .*The backup is in/) });

  const running = await run('restore', 'my.db');
  expect(running).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/a base runs with this store/) });
  expect(running.err).not.toMatch(/^\s+at /m);

  // After the backup: a command that is kept for the next start, and readings.
  const sent = base.send('away', { id: 'kept', command: 'setColor', ttlS: 600 });
  await base.unitIs('away', 'had the command', ({ waiting }) => waiting === 1);
  await base.stop();
  expect(await sent).toMatchObject({ status: 503, type: 'urn:baseunit:problem:stopping' });
  const store = join(base.stateFolder, 'baseunit.db');

  const offline = await run('backup', 'later.db');
  expect(offline).toMatchObject({ code: 0, err: '' });
  const restored = await run('restore', 'my.db', '--json');
  expect(restored.code).toBe(0);
  const { before } = onlyJson(restored) as { before: string };
  expect(onlyJson(restored)).toEqual({ restored: join(base.folder, 'my.db'), store, before, commandsLeftOut: 0 });
  expect(before).toMatch(/baseunit\.db\.before-restore-20\d\d-[\dTZ-]+$/);
  expect(existsSync(before)).toBe(true);

  const second = await BaseProcess.start(configuration, { folder: base.folder });
  expect(await second.unit('garden-barrel')).toMatchObject({ last: { valve: { fields: { note: MARKER } } } });
  const history = await second.get<{ fields: { note: { values: string[] } } }>(
    '/units/garden-barrel/history?report=valve&resolution=raw',
  );
  expect(history.fields.note.values).toContain(MARKER);
  await expect(second.get('/units/away/commands/kept')).rejects.toThrow(/404/);
  await second.stop();

  // In the one that was made while no base ran, the command waits: it may have been done since, and is left out.
  const other = await run('restore', 'later.db');
  expect(other).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^later\.db is restored to /) });
  expect(other.out).toMatch(/Left out: 1 commands without an outcome/);
  expect(other.out).toMatch(/is kept as .*before-restore-/);
  const third = await BaseProcess.start(configuration, { folder: base.folder });
  await expect(third.get('/units/away/commands/kept')).rejects.toThrow(/404/);
  expect((await third.unit('away')).waiting).toBe(0);
}, 90_000);

test('restore refuses what is no backup, and says of everything else why it cannot be', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'base.json'), '{}', { mode: 0o600 });
  writeFileSync(join(cwd, 'notes.txt'), 'no store '.repeat(100));
  const [noFile, noStore, noConfig, noBackup, forgotten] = await Promise.all([
    baseunit(['restore', 'none.db'], { cwd }),
    baseunit(['restore', 'notes.txt', '--json'], { cwd }),
    baseunit(['restore', 'none.db', '-c', 'other.json'], { cwd }),
    baseunit(['backup'], { cwd }),
    baseunit(['forget', 'a-lamp', '--json'], { cwd }),
  ]);
  expect(noFile).toMatchObject({ code: 2, err: expect.stringMatching(/none\.db cannot be restored: ENOENT/) });
  expect(noStore.code).toBe(2);
  expect(onlyJson(noStore)).toMatchObject({
    error: { code: 'config-invalid', message: expect.stringMatching(/not a database; nothing was changed$/) },
  });
  expect(noConfig).toMatchObject({ code: 2, err: expect.stringContaining('other.json does not exist') });
  expect(noBackup).toMatchObject({ code: 1, err: expect.stringMatching(/is not there; a base makes it/) });
  expect(noBackup.err).not.toMatch(/^\s+at /m);
  expect(onlyJson(forgotten)).toEqual({ unit: 'a-lamp', forgotten: true });
  expect(
    filesIn(cwd)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(['base.json', 'notes.txt']);
}, 60_000);

test('a base without an API is noticed by its lock, a number that a killed one left fools nobody', async () => {
  const first = await BaseProcess.start({ name: 'no API' });
  await first.stop();
  const run = (...words: string[]): Promise<Ended> => baseunit(words, { cwd: first.folder });
  expect(await run('backup', 'good.db')).toMatchObject({ code: 0, err: '' });
  const base = await BaseProcess.start({ name: 'no API' }, { folder: first.folder });
  const [backup, forget, restore] = await Promise.all([
    run('backup'),
    run('forget', 'lamp'),
    run('restore', 'good.db'),
  ]);
  for (const { code, err } of [backup, forget]) {
    expect(err).toMatch(/is in use: another base runs with it/);
    expect(code).toBe(1);
  }
  expect(restore).toMatchObject({ code: 1, err: expect.stringMatching(/is in use; stop the base/) });
  expect(readdirSync(base.stateFolder).filter((name) => name.includes('restor'))).toEqual([]);
  base.kill('SIGKILL');
  await base.ended;

  // Its number is this process's now, and at its port is nobody.
  const url = 'http://127.0.0.1:1';
  const running = { pid: process.pid, url, startedAt: 1, configFile: base.file };
  writeFileSync(join(base.stateFolder, 'running.json'), JSON.stringify(running));
  expect(await run('backup', 'copy.db')).toMatchObject({ code: 0, err: '' });
  expect(await run('restore', 'copy.db')).toMatchObject({ code: 0, err: '' });
  expect(await run('forget', 'lamp')).toMatchObject({ code: 0, err: '' });
}, 60_000);

test('a backup can be brought back on a machine on which no base has run yet', async () => {
  const { base, configuration } = await house();
  expect(await baseunit(['backup', 'my.db'], { cwd: base.folder })).toMatchObject({ code: 0 });
  await base.stop();
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'base.json'), JSON.stringify(configuration), { mode: 0o600 });
  const restored = await baseunit(['restore', join(base.folder, 'my.db')], { cwd });
  expect(restored).toMatchObject({ code: 0, err: '', out: expect.not.stringContaining('from before') });
  expect(statSync(join(cwd, '.baseunit')).mode & 0o777).toBe(0o700);
  const next = await BaseProcess.start(configuration, { folder: cwd });
  expect(await next.unit('garden-barrel')).toMatchObject({ last: { valve: { fields: { note: MARKER } } } });
}, 60_000);

test('a damaged store is set aside by what opens it, and no backup is made of its successor', async () => {
  const cwd = temporaryFolder();
  const folder = join(cwd, '.baseunit');
  writeFileSync(join(cwd, 'base.json'), '{}', { mode: 0o600 });
  mkdirSync(join(folder, 'backups'), { recursive: true });
  writeFileSync(join(folder, 'baseunit.db'), Buffer.alloc(8_192, 1));
  writeFileSync(join(folder, 'backups', 'baseunit-2026-01-01.db'), 'a good one, let us say');
  const { code, err } = await baseunit(['backup'], { cwd });
  expect(code).toBe(1);
  expect(err).toMatch(/was damaged .*set aside as \S+\.damaged-.*baseunit restore \S+baseunit-2026-01-01\.db/);
  expect(readdirSync(join(folder, 'backups'))).toEqual(['baseunit-2026-01-01.db']);
}, 60_000);

test('forget, with a base that runs: nothing of the unit is left in any file of the base', async () => {
  const { barrel, base, configuration, run } = await house();
  await run('backup');
  await base.stop();
  await barrel.stop();
  for (const text of [MARKER, 'garden-barrel']) expect(holding(base.stateFolder, text).length).toBeGreaterThan(1);

  const second = await BaseProcess.start(without(configuration, 'garden-barrel'), { folder: base.folder });
  const { code, out, err } = await run('forget', 'garden-barrel');
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/is erased, from the backups too/);
  expect(out).toMatch(/units\.known of the configuration/);
  for (const text of [MARKER, 'garden-barrel']) expect(holding(base.stateFolder, text)).toEqual([]);
  expect(holding(base.stateFolder, 'thermometer')).toEqual(
    expect.arrayContaining([expect.stringMatching(/backups.*\.db$/)]),
  );
  expect(onlyJson(await run('forget', 'garden-barrel', '--json'))).toEqual({ unit: 'garden-barrel', forgotten: true });
  expect(await run('forget', 'x'.repeat(129))).toMatchObject({
    code: 2,
    err: expect.stringContaining('128 characters'),
  });
  await second.stop();
  for (const text of [MARKER, 'garden-barrel']) expect(holding(base.stateFolder, text)).toEqual([]);
}, 60_000);

test('forget, while no base runs: the same, after a crash too, and of what an interrupted backup left', async () => {
  const { base, run } = await house();
  await run('backup');
  base.kill('SIGKILL');
  await base.ended;
  const backups = join(base.stateFolder, 'backups');
  writeFileSync(join(backups, 'baseunit-2026-01-01.db.new'), MARKER);
  for (const text of [MARKER, 'garden-barrel']) expect(holding(base.stateFolder, text).length).toBeGreaterThan(1);

  expect(await run('forget', 'x'.repeat(129))).toMatchObject({
    code: 2,
    err: expect.stringContaining('128 characters'),
  });
  expect(await run('forget', 'garden-barrel')).toMatchObject({ code: 0, err: '' });
  for (const text of [MARKER, 'garden-barrel']) expect(holding(base.stateFolder, text)).toEqual([]);
  expect(holding(base.stateFolder, 'thermometer').length).toBeGreaterThan(1);

  // A backup that cannot be erased from is named: it may hold the unit still.
  writeFileSync(join(backups, 'baseunit-2026-01-02.db'), `damaged ${MARKER} `.repeat(500));
  const damaged = await run('forget', 'garden-barrel');
  expect(damaged).toMatchObject({ code: 1, err: expect.stringMatching(/not in \S+baseunit-2026-01-02\.db .*delete/) });
}, 60_000);

test('a store that cannot be opened is an error with a reason, and no trace of the program', async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, 'base.json'), '{ "store": { "file": "data/house.db" } }', { mode: 0o600 });
  mkdirSync(join(cwd, 'data', 'house.db'), { recursive: true });
  for (const words of [['backup'], ['run', '-c', 'base.json']]) {
    const { code, err } = await baseunit(words, { cwd });
    expect([code, err]).toEqual([1, expect.stringMatching(/data\/house\.db cannot be opened/)]);
    expect(err).not.toMatch(/^\s+at /m);
  }
}, 60_000);
