import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SimulatedUnit } from '../../simulator/simulated-unit.js';
import { BaseProcess } from '../process/support/base-process.js';
import { simulated } from '../process/support/simulated.js';
import { baseunit, Program, temporaryFolder } from './support/program.js';
import { runHere } from './support/run-here.js';
import { untilHeard } from './support/until-heard.js';

test('logs: what a unit wrote, at which level, and what comes; nothing of it can steer the terminal', async () => {
  const simulation = await simulated('thermometer');
  const unit = simulation.units[0] as unknown as SimulatedUnit;
  const base = await BaseProcess.start({ http: { listen: '127.0.0.1:0' }, units: { known: simulation.known() } });
  const run = (...words: string[]) => runHere([...words, '-c', base.file]);
  await base.unitIs('thermometer', 'online', ({ state }) => state === 'online');
  const nothing = await baseunit(['logs', 'thermometer', '--level', 'warn'], { cwd: base.folder });
  expect(nothing).toEqual({
    code: 0,
    out: '',
    err: 'thermometer has written nothing of level warn or above to its log since the base started.\n',
  });
  await expect(run('logs', 'hall')).rejects.toMatchObject({
    code: 'request-refused',
    message: expect.stringContaining('no unit "hall"; there are: thermometer'),
  });
  const elsewhere = ['logs', 'thermometer', '-c', join(temporaryFolder(), 'base.json')];
  await expect(runHere(elsewhere)).rejects.toThrow('no base is running here');

  unit.log('debug', 'one');
  unit.log('warn', 'two\u001b[31m\u009b');
  const followed = new Program(['logs', 'thermometer', '-f'], { cwd: base.folder });
  const serious = new Program(['logs', 'thermometer', '--follow', '--level', 'warn', '--json'], { cwd: base.folder });
  await Promise.all([followed.line(/two/), serious.line(/two/)]);
  unit.log('info', 'three');
  unit.log('error', 'four');
  await Promise.all([followed.line(/four/), serious.line(/four/)]);
  const lines = followed.lines.map((line) => line.replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}/, ''));
  expect(lines).toEqual(['debug  one', 'warn   two·[31m·', 'info   three', 'error  four']);
  expect(serious.json).toMatchObject([
    { unit: 'thermometer', level: 'warn', text: 'two·[31m·', at: expect.any(Number) },
    { unit: 'thermometer', level: 'error', text: 'four' },
  ]);
  expect((await run('logs', 'thermometer', '--json')).trim().split('\n')).toHaveLength(4);
  expect(await run('logs', 'thermometer', '--level', 'error')).toMatch(/^\S+ \S+ {2}error {2}four\n$/);

  for (let line = 0; line < 150; line += 1) unit.log('debug', 'flood');
  await untilHeard(followed, / {2}later {2}\(\d+ before it are left out: too many came\)$/, async () =>
    unit.log('info', 'later'),
  );
  expect(followed.lines.filter((line) => line.endsWith('flood')).length).toBeLessThan(110);
  followed.kill('SIGINT');
  expect(await followed.ended).toMatchObject({ code: 0, err: '' });
  await base.stop();
  expect(await serious.ended).toMatchObject({ code: 3 });
}, 60_000);

test('units: a unit that was started by a watchdog is named; one that sleeps says so', async () => {
  const [lamp, probe] = await Promise.all([simulated('led-lamp'), import('../../units/garden-probe.js')]);
  (lamp.units[0] as unknown as SimulatedUnit).restart(3);
  const known = { ...lamp.known(), probe: { definition: probe.default.name, key: '0'.repeat(32) } };
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    units: { listen: '127.0.0.1:0', known },
  });
  const run = (...words: string[]) => runHere([...words, '-c', base.file]);
  await base.send('led-lamp', { command: 'setColor', fields: { color: '#000000' } });
  await base.logged('led-lamp has restarted: software watchdog', { unit: 'led-lamp', resetReason: 3, boot: 2 });
  const units = await run('units');
  expect(units).toMatch(/^led-lamp has restarted \d+ s ago: software watchdog \(boot 2, 41376 octets of heap free\)$/m);
  expect(units).toMatch(
    /^probe +unit +garden-probe +idle: sleeps, expected again every 10 min \(due in \d+ min\) +dials in/m,
  );
  expect(JSON.parse(await run('units', '--json')).units).toMatchObject([
    { unit: 'led-lamp', started: { boot: 2, resetReason: 3, reset: 'software watchdog', freeHeap: 41_376 } },
    { unit: 'probe', state: 'idle', expectedAt: expect.any(Number) },
  ]);
  expect(await base.send('probe', { command: 'setDryBelow', fields: { dryBelow: 40 } })).toMatchObject({
    outcome: 'unreachable',
    reason: expect.stringMatching(/^the unit sleeps and is expected again in \d+ min; .*--ttl/),
  });
}, 60_000);
