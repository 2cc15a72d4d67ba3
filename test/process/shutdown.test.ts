import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { HttpReceiver } from '../base/uplinks/http-receiver.js';
import { temporaryFolder } from '../cli/support/program.js';
import { eventually } from '../end-to-end/support/house.js';
import { BaseProcess, freePort } from './support/base-process.js';
import { simulated } from './support/simulated.js';

const http = { listen: '127.0.0.1:0' };

/** Asks without end, as a central does; writes down what became of each command when the process ends. */
const LOAD = `
import { writeFileSync } from 'node:fs';
const told = {};
let number = 0;
process.on('exit', () => writeFileSync('told.json', JSON.stringify(told)));
export default {
  name: 'load',
  async listen(context) {
    context.ready();
    const ask = (unit, more) => {
      const id = 'load-' + (number += 1);
      told[id] = 'none';
      const fields = { color: '#00ff00' };
      return context.command({ id, unit, command: 'setColor', fields, source: 'load', ...more }).then(
        ({ outcome }) => (told[id] = outcome),
        ({ code }) => (told[id] = code),
      );
    };
    const askOn = async (unit) => {
      while (!context.signal.aborted) await ask(unit, {});
    };
    for (const unit of JSON.parse(process.env.UNITS)) for (let index = 0; index < 8; index += 1) void askOn(unit);
    for (let index = 0; index < 5; index += 1) void ask('away', { ttlMs: 600_000 });
    await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
  },
};
`;

test('SIGTERM under load: every accepted command has an outcome, which its receiver gets, or is kept and done after the restart', async () => {
  const folder = temporaryFolder();
  const receiver = await HttpReceiver.start();
  const lamps = await simulated('led-lamp', { count: 3, uid: 'lamp' });
  const port = await freePort();
  const key = new Uint8Array(16).fill(7);
  writeFileSync(join(folder, 'load.mjs'), LOAD);
  const away = { definition: 'led-lamp', address: `127.0.0.1:${port}`, key: Buffer.from(key).toString('hex') };
  const configuration = {
    http,
    units: { known: { ...lamps.known(), away } },
    webhooks: [{ url: receiver.url, secret: 'a secret', events: ['outcome'] }],
  };
  const env = { UNITS: JSON.stringify(Object.keys(lamps.known())) };
  const base = await BaseProcess.start({ ...configuration, handlers: ['./load.mjs'] }, { folder, env });
  await base.until('some commands ended', ({ log }) => log.filter(({ msg }) => msg === 'command ended').length > 60);
  const { code, tookMs } = await base.stop();
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(8_000);
  expect(base.log.at(-1)).toMatchObject({ msg: 'stopped', state: 'gracefully_stopped' });

  const told = JSON.parse(readFileSync(join(folder, 'told.json'), 'utf8')) as Record<string, string>;
  const of = (outcome: string): string[] => Object.keys(told).filter((id) => told[id] === outcome);
  expect(of('none')).toEqual([]);
  expect(of('ok').length).toBeGreaterThan(50);
  const kept = of('stopped');
  expect(kept.length).toBe(5);

  // What was accepted and is not at its receiver yet, gets there now; what was kept, is done.
  const unit = await simulated('led-lamp', { uid: 'away', listen: { host: '127.0.0.1', port }, keyOf: () => key });
  const again = await BaseProcess.start(configuration, { folder });
  await eventually('what was kept is done', () => unit.events.filter(({ kind }) => kind === 'applied').length === 5);
  const received = (): Set<string> =>
    new Set(receiver.received.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id));
  const accepted = Object.keys(told).filter((id) => told[id] !== 'refused');
  await eventually('all outcomes are told', () => accepted.every((id) => received().has(id)));
  expect((await again.stop()).code).toBe(0);
  await receiver.stop();
}, 40_000);

test('a handler that does not let go: the stop is forced within its time, says so, and the exit code is 1', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'hold.mjs'),
    'export default { name: "hold", listen: ({ ready }) => { ready(); setInterval(() => {}, 1_000); return new Promise(() => {}); } };',
  );
  const base = await BaseProcess.start({ http, shutdownTimeoutS: 2, handlers: ['./hold.mjs'] }, { folder });
  const { code, tookMs } = await base.stop();
  expect(code).toBe(1);
  expect(tookMs).toBeLessThan(3_000);
  expect(base.log.at(-1)).toMatchObject({ msg: 'stopped', state: 'stopped' });
  expect(base.log.some(({ dialect, msg }) => dialect === 'hold' && /did not end/.test(msg))).toBe(true);
  expect(existsSync(join(base.stateFolder, 'running.json'))).toBe(false);
}, 40_000);
