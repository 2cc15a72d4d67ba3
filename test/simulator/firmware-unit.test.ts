import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/system.js';
import { FirmwareUnit, LISTENING_MS, TERM_MS } from '../../simulator/firmware-unit.js';
import type { SimulationEvent } from '../../simulator/simulation-event.js';
import { ManualClock } from '../support/manual-clock.js';
import { soon } from './support/soon.js';

let folder: string;
const hooksBefore = process.listeners('exit');
const started: FirmwareUnit[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'firmware-'));
});

afterEach(async () => {
  for (const unit of started.splice(0)) {
    if (unit.pid !== undefined) process.kill(unit.pid, 'SIGKILL');
    await unit.stop();
  }
});

afterAll(() => rm(folder, { recursive: true }));

/** A program that stands in for compiled firmware. */
async function program(name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!${process.execPath}\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

const LISTENS = `
const server = require('node:net').createServer();
const [host, port] = process.argv[process.argv.indexOf('--listen') + 1].split(':');
server.listen(Number(port), host, () => {
  console.log('listening ' + host + ':' + server.address().port);
  const given = process.argv.slice(2).filter((each) => !each.includes(':')).join(' ');
  console.log('given ' + given + ', key ' + process.env.BASEUNIT_KEY);
});`;

function unit(path: string, more: Partial<ConstructorParameters<typeof FirmwareUnit>[0]> = {}) {
  const events: SimulationEvent[] = [];
  const made = new FirmwareUnit({
    uid: 'lamp-1',
    program: path,
    key: new Uint8Array(16).fill(0x43),
    listen: { host: '127.0.0.1', port: 0 },
    stateFile: join(folder, 'lamp-1.state'),
    clock: systemClock,
    hear: (event) => events.push(event),
    ...more,
  });
  started.push(made);
  return { made, events };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a unit of compiled firmware', () => {
  it('says where it listens, passes its lines on, and is gone after stop', async () => {
    const { made, events } = unit(await program('good.cjs', LISTENS));
    await made.start();
    expect(made.address?.host).toBe('127.0.0.1');
    expect(made.address?.port).toBeGreaterThan(0);
    const line = `given --uid lamp-1 --listen --state ${join(folder, 'lamp-1.state')} --with-parent ${process.pid}, key ${'43'.repeat(16)}`;
    await soon(() =>
      expect(events).toContainEqual({
        kind: 'printed',
        unit: 'lamp-1',
        line: expect.stringContaining(line.slice(0, 60)),
      }),
    );
    const pid = made.pid!;
    await made.stop();
    await made.stop();
    expect(isAlive(pid)).toBe(false);
    expect(made.pid).toBeUndefined();
    expect(events.some(({ kind }) => kind === 'exited')).toBe(false);
  });

  it('comes back at the same address when it is restarted', async () => {
    const { made } = unit(await program('again.cjs', LISTENS));
    await made.start();
    const { address, pid } = made;
    await made.restart();
    expect(made.address).toEqual(address);
    expect(made.pid).not.toBe(pid);
    expect(isAlive(pid!)).toBe(false);
  });

  it.each([
    ['serial', { serial: '/dev/ttyUSB0' }, '--serial /dev/ttyUSB0'],
    ['dialling', { dial: { host: '::1', port: 8888 } }, '--dial [::1]:8888'],
  ])('that is not to listen has started when it says "%s"', async (word, way, given) => {
    const path = await program(
      `${word}.cjs`,
      `console.log('${word} somewhere'); console.log('given ' + process.argv.slice(2).join(' ')); setInterval(() => {}, 1_000);`,
    );
    const { made, events } = unit(path, { listen: undefined, ...way });
    await made.start();
    expect(made.address).toBeUndefined();
    const line = `given --uid lamp-1 ${given} --state ${join(folder, 'lamp-1.state')} --with-parent ${process.pid}`;
    await soon(() => expect(events).toEqual([{ kind: 'printed', unit: 'lamp-1', line }]));
    await made.restart();
    await soon(() => expect(events).toHaveLength(2));
    process.kill(made.pid!, 'SIGKILL');
    await soon(() => expect(events.at(-1)).toEqual({ kind: 'exited', unit: 'lamp-1', reason: 'ended with SIGKILL' }));
  });

  it('is killed when SIGTERM does not end it in 2 s', async () => {
    const clock = new ManualClock();
    const { made } = unit(
      await program('stubborn.cjs', `process.on('SIGTERM', () => console.log('never'));${LISTENS}`),
      {
        clock,
      },
    );
    await made.start();
    const pid = made.pid!;
    const stopped = made.stop();
    await clock.advance(TERM_MS - 1);
    expect(isAlive(pid)).toBe(true);
    await clock.advance(1);
    await stopped;
    expect(isAlive(pid)).toBe(false);
  });

  it('that ends by itself is told, once', async () => {
    const { made, events } = unit(await program('short.cjs', LISTENS));
    await made.start();
    process.kill(made.pid!, 'SIGKILL');
    await soon(() => expect(events.at(-1)).toEqual({ kind: 'exited', unit: 'lamp-1', reason: 'ended with SIGKILL' }));
    expect(made.pid).toBeUndefined();
  });

  it('that ends before it listens is refused with its own words', async () => {
    const { made } = unit(await program('bad.cjs', `console.error('no key given'); process.exitCode = 3;`));
    await expect(made.start()).rejects.toMatchObject({
      code: 'firmware-failed',
      message: 'the firmware of lamp-1 ended with code 3: no key given',
    });
  });

  it('that is no program is refused', async () => {
    const { made } = unit(join(folder, 'missing'));
    await expect(made.start()).rejects.toMatchObject({ code: 'firmware-failed' });
  });

  it('that never says where it listens is killed after 10 s', async () => {
    const clock = new ManualClock();
    const { made, events } = unit(await program('mute.cjs', `console.log('up'); setInterval(() => {}, 1_000);`), {
      clock,
    });
    const start = made.start();
    start.catch(() => {});
    await soon(() => expect(events).toHaveLength(1));
    const pid = made.pid!;
    await clock.advance(LISTENING_MS);
    await expect(start).rejects.toMatchObject({ code: 'firmware-failed' });
    expect(isAlive(pid)).toBe(false);
  });

  it('ends with the process that started it, whatever way that ends', async () => {
    const { made, events } = unit(await program('orphan.cjs', LISTENS));
    await made.start();
    const hooks = process.listeners('exit').filter((hook) => !hooksBefore.includes(hook));
    expect(hooks).toHaveLength(1);
    hooks[0]!.call(process, 0);
    await soon(() => expect(events.at(-1)).toMatchObject({ kind: 'exited', reason: 'ended with SIGKILL' }));
  });
});
