import { expect, test } from 'vitest';
import { temporaryFolder } from '../cli/support/program.js';
import { BaseProcess, freePort } from '../process/support/base-process.js';
import { simulated } from '../process/support/simulated.js';

const key = 'a5'.repeat(16);
const colors = ['#000001', '#000002', '#000003'];

test('commands for a unit that is away: kept over a crash, delivered in order on its return, those too late expired', async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    units: { listen: `127.0.0.1:${port}`, known: { 'led-lamp': { definition: 'led-lamp', key } } },
  };
  const first = await BaseProcess.start(configuration, { folder });
  const send = (id: string, color: string, ttlS: number): void =>
    void first.send('led-lamp', { id, command: 'setColor', fields: { color }, ttlS }).catch(() => {});
  send('late', '#0000ff', 1);
  await first.unitIs('led-lamp', 'had one command', ({ waiting }) => waiting === 1);
  for (const [index, color] of colors.entries()) {
    send(`c${index}`, color, 120);
    await first.unitIs('led-lamp', 'had one more', ({ waiting }) => waiting >= index + 1);
  }
  first.kill('SIGKILL');
  await first.ended;

  const second = await BaseProcess.start(configuration, { folder });
  await second.logged('command ended', { id: 'late', outcome: 'expired' });
  expect(await second.get('/units/led-lamp/commands/c2')).toMatchObject({ status: 'waiting' });
  expect(await second.unit('led-lamp')).toMatchObject({ waiting: 3 });
  const lamp = await simulated('led-lamp', {
    dial: { address: { host: '127.0.0.1', port } },
    keyOf: () => new Uint8Array(16).fill(0xa5),
  });
  for (const index of colors.keys()) await second.logged('command ended', { id: `c${index}`, outcome: 'ok' });
  const applied = lamp.events.flatMap((event) => (event.kind === 'applied' ? [event.fields.color] : []));
  expect(applied).toEqual(colors);
  expect(await second.get('/units/led-lamp/commands/c2')).toMatchObject({
    status: 'ended',
    outcome: { outcome: 'ok' },
  });
  expect(await second.send('led-lamp', { id: 'c2', command: 'setColor', fields: { color: '#0000aa' } })).toMatchObject({
    outcome: 'duplicate',
    reason: expect.stringContaining('it is ok'),
  });
  await second.stop();
});
