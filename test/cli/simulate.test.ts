import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { BaseProcess, freePort } from '../process/support/base-process.js';
import { baseunit, onlyJson, Program } from './support/program.js';

const http = { listen: '127.0.0.1:0' };

/** `baseunit simulate … --json`, and what it says belongs into base.json. */
async function simulation(
  ...words: string[]
): Promise<{ readonly program: Program; readonly known: Record<string, object> }> {
  const program = new Program(['simulate', ...words, '--json']);
  const known = await program.until('what is known', ({ json }) => json.find((line) => 'known' in line)?.known);
  return { program, known: known as Record<string, object> };
}

test('simulate: several units, and firmware, whose JSON makes the base.json that serves them', async () => {
  const [lamps, sensor, firmware] = await Promise.all([
    simulation('led-lamp', '--count', '3', '--uid', 'lamp'),
    simulation('light-sensor', '--seed', 'one'),
    simulation('thermometer', '--firmware', '--key', 'ab'.repeat(16)),
  ]);
  expect(Object.keys(lamps.known)).toEqual(['lamp-1', 'lamp-2', 'lamp-3']);
  expect(firmware.known).toMatchObject({ thermometer: { key: 'ab'.repeat(16) } });
  const known = { ...lamps.known, ...sensor.known, ...firmware.known };
  const base = await BaseProcess.start({ http, units: { known } });
  const outcome = await base.send('lamp-2', { command: 'setColor', fields: { color: '#010203' } });
  expect(outcome).toMatchObject({ outcome: 'ok' });
  await lamps.program.until('the command', ({ json }) =>
    json.find(({ kind, unit }) => kind === 'applied' && unit === 'lamp-2'),
  );
  await base.unitIs('light-sensor', 'reported', ({ last }) => last.light !== undefined);
  await base.unitIs('thermometer', 'reported', ({ last }) => last.reading !== undefined);
  for (const { program } of [lamps, sensor, firmware]) program.kill('SIGINT');
  const ended = await Promise.all([lamps, sensor, firmware].map(({ program }) => program.ended));
  expect(ended.map(({ code, err }) => [code, err])).toEqual([
    [0, ''],
    [0, ''],
    [0, ''],
  ]);
  await base.unitIs('thermometer', 'lost', ({ state }) => state === 'offline');
}, 60_000);

test('simulate --fault and --dial: a unit that dials in and refuses', async () => {
  const key = 'cd'.repeat(16);
  const base = await BaseProcess.start({
    http,
    units: { listen: '127.0.0.1:0', known: { porch: { definition: 'led-lamp', key } } },
  });
  const { address } = await base.logged('units may dial in');
  const words = ['led-lamp', '--uid', 'porch', '--key', key, '--dial', address as string, '--fault', 'refuse'];
  const { program, known } = await simulation(...words);
  expect(known).toEqual({ porch: { definition: 'led-lamp', key } });
  await program.until('its link', ({ json }) => json.find(({ kind }) => kind === 'connected'));
  const outcome = await base.send('porch', { command: 'setColor', fields: { color: '#010203' } });
  expect(outcome).toMatchObject({ outcome: 'refused' });
});

test('simulate says for people what to write into base.json; a port that is taken is exit 2', async () => {
  const port = await freePort();
  const words = ['simulate', 'led-lamp', '--listen', `127.0.0.1:${port}`];
  const program = new Program(words);
  await program.line(/1 simulated; Ctrl-C ends it/);
  expect(program.out).toContain(`"address": "127.0.0.1:${port}"`);
  const second = await baseunit([...words, '--json']);
  expect(second.code).toBe(2);
  expect(onlyJson(second)).toMatchObject({ error: { code: 'port-in-use' } });
  program.kill('SIGTERM');
  expect(await program.ended).toMatchObject({ code: 0 });
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
});

test('start --json: what runs where, then events, and nothing else on stdout', async () => {
  const program = new Program(['start', '--simulate', '--json']);
  const running = await program.until('what runs', ({ json }) => json.find((line) => 'running' in line)?.running);
  expect(running).toMatchObject({ api: expect.stringMatching(/^http:/), units: expect.arrayContaining([]) });
  await program.until('a reading', ({ json }) =>
    json.find(({ kind, unit }) => kind === 'report' && unit === 'thermometer'),
  );
  expect(program.out).not.toMatch(/"key"/);
  program.kill('SIGINT');
  expect(await program.ended).toMatchObject({ code: 0 });
}, 60_000);
