import { expect, test } from 'vitest';
import { BaseProcess, freePort } from './support/base-process.js';
import { simulated } from './support/simulated.js';

const key = '00112233445566778899aabbccddeeff';

/** What the API says of a command, once it has ended. */
async function ended(base: BaseProcess, id: string): Promise<unknown> {
  const late = performance.now() + 20_000;
  for (;;) {
    const status = await base.get<{ status: string }>(`/units/led-lamp/commands/${id}`);
    if (status.status === 'ended') return status;
    if (performance.now() > late) throw new Error(`it never ended: ${JSON.stringify(status)}`);
    // The API lets one token ask 20 times a second.
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

test('who sent a command learns its outcome from the next start of the base, by the id that the last one told', async () => {
  const port = await freePort();
  const configuration = {
    http: { listen: '127.0.0.1:0' },
    units: { known: { 'led-lamp': { definition: 'led-lamp', address: `127.0.0.1:${port}`, key } } },
  };
  const first = await BaseProcess.start(configuration);
  const setColor = (color: string) => ({ command: 'setColor', fields: { color }, ttlS: 600 });
  const own = first.send('led-lamp', { id: 'mine', ...setColor('#ff8800') });
  await first.unitIs('led-lamp', 'had the command', ({ waiting }) => waiting === 1);
  const given = first.send('led-lamp', setColor('#0000ff'));
  await first.unitIs('led-lamp', 'had both', ({ waiting }) => waiting === 2);
  expect(await first.get('/units/led-lamp/commands/mine')).toEqual({ status: 'waiting', id: 'mine', unit: 'led-lamp' });
  await first.stop();
  const details = await Promise.all(
    [own, given].map(async (answer) => (await answer) as unknown as { detail: string }),
  );
  const [, id] = /with the id "([0-9a-f]{32})"/.exec(details[1]!.detail)!;
  expect(details[0]!.detail).toContain('GET /api/v1/units/led-lamp/commands/mine ');

  const second = await BaseProcess.start(configuration, { folder: first.folder });
  expect(await second.get('/units/led-lamp/commands/mine')).toMatchObject({ status: 'waiting' });
  const keyOf = () => Uint8Array.from(Buffer.from(key, 'hex'));
  const lamp = await simulated('led-lamp', { listen: { host: '127.0.0.1', port }, keyOf });
  for (const each of ['mine', id!])
    expect(await ended(second, each)).toMatchObject({
      status: 'ended',
      id: each,
      unit: 'led-lamp',
      outcome: { id: each, command: 'setColor', outcome: 'ok' },
    });
  const applied = lamp.events.flatMap((event) => (event.kind === 'applied' ? [event.fields.color] : []));
  expect(applied).toEqual(['#ff8800', '#0000ff']);
  await second.stop();

  const third = await BaseProcess.start(configuration, { folder: first.folder });
  expect(await third.get('/units/led-lamp/commands/mine')).toMatchObject({ outcome: { outcome: 'ok' } });
}, 60_000);
