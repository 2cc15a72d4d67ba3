import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../simulator/seeded-random.js';
import { HttpReceiver } from '../base/uplinks/http-receiver.js';
import { baseunit, temporaryFolder } from '../cli/support/program.js';
import { eventually } from '../end-to-end/support/house.js';
import { BaseProcess } from '../process/support/base-process.js';
import { startCommander } from './support/commander.js';
import { startMeters } from './support/meters.js';
import { expectReports } from './support/seen.js';
import { smallDisk } from './support/small-disk.js';
import { canTrace } from './support/strace.js';

const color = (value: string) => ({ command: 'setColor', fields: { color: value } });

/** A house under load with a receiver that sees everything. */
async function house(store: string) {
  const receiver = await HttpReceiver.start();
  const meters = await startMeters(4);
  const commander = await startCommander(1);
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    store: { file: store },
    units: { known: { ...meters.known, ...commander.known } },
    webhooks: [{ url: receiver.url, secret: 'a secret', events: ['report', 'outcome'] }],
  };
  return { receiver, meters, commander, configuration };
}

/** Everything acknowledged is seen, nothing else is; then all of it ends. */
async function expectNothingLost(
  base: BaseProcess,
  { meters, receiver }: Awaited<ReturnType<typeof house>>,
): Promise<void> {
  meters.pause();
  await eventually('all is acknowledged', () => meters.waiting === 0, 60_000);
  for (;;) {
    const { endpoints } = await base.get<{ endpoints: { waiting: number }[] }>('/outbox');
    if (endpoints.every(({ waiting }) => waiting === 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expectReports(meters, receiver.received);
  expect((await base.stop()).code).toBe(0);
  await receiver.stop();
}

test('a full disk: nothing is acknowledged, commands are refused aloud, the base lives; freed, all goes on and nothing is lost', {
  timeout: 90_000,
}, async (context) => {
  const folder = temporaryFolder();
  const disk = smallDisk(join(folder, 'disk'), '4M');
  if (disk === undefined) {
    process.stderr.write('LEFT OUT: the full disk needs root, to mount a small one\n');
    return context.skip('no disk can be mounted here');
  }
  const parts = await house('disk/baseunit.db');
  const { meters, configuration } = parts;
  const base = await BaseProcess.start(configuration, { folder });
  await eventually('reports are acknowledged', () => meters.acknowledged.size > 50);

  disk.fill();
  const line = await base.logged('the store cannot be written; said once');
  expect(line).toMatchObject({ level: 50, code: 'store-failed', reason: 'the disk is full; make room on it' });
  expect(await base.send('lamp', color('#010101'))).toMatchObject({
    outcome: 'refused',
    reason: 'the base cannot store it: the disk is full; make room on it',
  });
  const { size } = meters.acknowledged;
  // Room for one more write may have been left; then there is none.
  expect((await base.unit('meter-1')).state).toBe('online');
  const full = meters.acknowledged.size;
  for (let look = 0; look < 10; look += 1) await base.unit('meter-1');
  expect(meters.acknowledged.size - full).toBeLessThan(5);
  expect(meters.waiting).toBeGreaterThan(0);
  expect(size).toBeGreaterThan(0);
  expect(base.log.filter(({ msg }) => msg.startsWith('the store cannot be written')).length).toBe(1);

  disk.free();
  await base.logged('the store can be written again');
  await eventually('reports are acknowledged again', () => meters.acknowledged.size > full + 50, 30_000);
  expect(await base.send('lamp', color('#020202'))).toMatchObject({ outcome: 'ok' });
  await expectNothingLost(base, parts);
});

describe('fsync that fails', () => {
  test.for([
    [
      'from the 40th on: nothing more is acknowledged, the base lives, and what was acknowledged is there at the next start',
      '40+',
    ],
    ['once in ten: what it hit is not acknowledged, and nothing is lost', '40+10'],
  ])('%s', { timeout: 90_000 }, async ([, when], context) => {
    if (!canTrace()) {
      process.stderr.write('LEFT OUT: failing fsync needs strace and the right to trace processes\n');
      return context.skip('strace may not trace here');
    }
    const folder = temporaryFolder();
    const parts = await house('baseunit.db');
    const { meters, configuration } = parts;
    const strace = ['-f', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync'];
    const under = ['strace', ...strace, '-e', `inject=fsync,fdatasync:error=EIO:when=${when}`];
    const base = await BaseProcess.start(configuration, { folder, under });
    const line = await base.logged('the store cannot be written; said once');
    expect(line.reason).toMatch(/the disk does not take what is written \(SQLITE_IOERR_FSYNC\)/);
    expect((await fetch(`${base.url}/healthz`)).status).toBe(200);
    if (when === '40+') {
      const { size } = meters.acknowledged;
      for (let look = 0; look < 10; look += 1) await base.unit('meter-1');
      expect(meters.acknowledged.size).toBe(size);
      expect(await base.send('lamp', { ...color('#010101'), id: 'refused', ttlS: 60 })).toMatchObject({
        outcome: 'refused',
      });
    } else await eventually('others are acknowledged', () => meters.acknowledged.size > 100, 30_000);
    const { pid } = JSON.parse(readFileSync(join(base.stateFolder, 'running.json'), 'utf8')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await base.ended;

    const second = await BaseProcess.start(configuration, { folder });
    // What was refused is not done after all.
    await expect(second.get('/units/lamp/commands/refused')).rejects.toThrow(/404/);
    await expectNothingLost(second, parts);
  });
});

describe('a store that is damaged while the base is off', () => {
  /** A base that ran for a while, and its store. */
  async function used() {
    const folder = temporaryFolder();
    const parts = await house('baseunit.db');
    const base = await BaseProcess.start(parts.configuration, { folder });
    await eventually('reports are acknowledged', () => parts.meters.acknowledged.size > 100);
    await base.stop();
    const file = join(folder, 'baseunit.db');
    expect(statSync(file).size).toBeGreaterThan(20_000);
    return { ...parts, folder, file };
  }

  test.each<[string, (file: string) => void]>([
    ['truncated', (file) => truncateSync(file, statSync(file).size / 2)],
    ['overwritten in the middle', (file) => spoil(file, (octets) => octets.fill(0xa5, 8_192, 16_384))],
  ])(
    '%s: it is set aside and said so, with the backup that can be brought back; the base serves its units',
    async (_, damage) => {
      const { folder, file, configuration, meters, receiver } = await used();
      const made = await baseunit(['backup', '-c', 'base.json'], { cwd: folder });
      expect(made).toMatchObject({ code: 0 });
      damage(file);
      const before = meters.acknowledged.size;
      const base = await BaseProcess.start(configuration, { folder });
      const line = await base.logged(/^the store was damaged: it is set aside, and a new one begun/);
      expect(line).toMatchObject({ level: 50, reason: expect.any(String) });
      expect(line.msg).toMatch(/baseunit restore \S+backups\/baseunit-\d{4}-\d{2}-\d{2}\.db$/);
      expect(readdirSync(folder)).toContain((line.movedTo as string).split('/').at(-1));
      await eventually('its units report again', () => meters.acknowledged.size > before + 20);
      await base.stop();

      const restored = await baseunit(['restore', line.msg.split(' ').at(-1)!, '-c', 'base.json'], { cwd: folder });
      expect(restored).toMatchObject({ code: 0 });
      const again = await BaseProcess.start(configuration, { folder });
      await again.unitIs('meter-1', 'reported', ({ last }) => last.reading !== undefined);
      await again.stop();
      await receiver.stop();
    },
  );

  test('missing: a new one is begun, and the backup that can be brought back is named', async () => {
    const { folder, file, configuration, receiver } = await used();
    expect(await baseunit(['backup', '-c', 'base.json'], { cwd: folder })).toMatchObject({ code: 0 });
    rmSync(file);
    const base = await BaseProcess.start(configuration, { folder });
    const line = await base.logged(/^the store is missing or empty, and a new one begun/);
    expect(line).toMatchObject({ level: 40, msg: expect.stringMatching(/baseunit restore \S+$/) });
    await base.stop();
    await receiver.stop();
  });

  test('a bit flipped anywhere: the base starts, and serves its units', { timeout: 90_000 }, async () => {
    const { folder, file, configuration, meters, receiver } = await used();
    const whole = readFileSync(file);
    const random = new SeededRandom('bits');
    for (let round = 0; round < 8; round += 1) {
      const octets = Buffer.from(whole);
      const at = Math.floor(random.fraction() * octets.length);
      octets.writeUInt8(octets[at]! ^ (1 << (round % 8)), at);
      for (const name of readdirSync(folder)) if (name.startsWith('baseunit.db')) rmSync(join(folder, name));
      writeFileSync(file, octets);
      const before = meters.acknowledged.size;
      const base = await BaseProcess.start(configuration, { folder });
      await eventually(`bit ${round % 8} of octet ${at}: units report`, () => meters.acknowledged.size > before + 5);
      base.kill('SIGKILL');
      await base.ended;
    }
    await receiver.stop();
  });
});

test('a second base on the same store is refused, and says why; the first is not disturbed', async () => {
  const folder = temporaryFolder();
  const parts = await house('baseunit.db');
  const base = await BaseProcess.start(parts.configuration, { folder });
  const second = BaseProcess.begin({ ...parts.configuration, name: 'second' }, { folder });
  const { code, err } = await second.ended;
  expect(err).toMatch(/is in use: another base runs with it; stop that one, or configure another store\.file/);
  expect(code).not.toBe(0);
  await expectNothingLost(base, parts);
});

function spoil(path: string, change: (octets: Buffer) => void): void {
  const octets = readFileSync(path);
  change(octets);
  writeFileSync(path, octets);
}
