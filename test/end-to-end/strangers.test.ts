import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { countingProxy } from './support/counting-proxy.js';
import { eventually, type Firmware, known, startFirmware, startHouse } from './support/house.js';

const setColor = (unit: string, id: string) => ({
  id,
  unit,
  command: 'setColor',
  fields: { color: '#123456' },
  source: 'test',
});

/** Every socket is handed to `serve`; gone after the test. */
async function peer(serve: (write: (text: string | Uint8Array) => boolean) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve((text) => socket.write(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const wrongKey = (firmware: Firmware): Firmware => ({ ...firmware, key: '00112233445566778899aabbccddeeff' });

test('a base without the key can neither command the compiled lamp nor learn anything of it', async () => {
  const lamp = await startFirmware('led-lamp');
  const thermometer = await startFirmware('thermometer');
  const { base, log } = await startHouse({
    name: 'test',
    units: { known: known(wrongKey(lamp), wrongKey(thermometer)) },
  });
  const outcome = await base.router.command(setColor('led-lamp', 'a'));
  expect(outcome).toMatchObject({ outcome: 'unreachable', reason: expect.stringMatching(/key/) });
  await eventually('the thermometer to be refused', () => /key/.test(base.router.get('thermometer')?.reason ?? ''));
  expect(lamp.lines).toEqual([]);
  expect(base.router.get('led-lamp')?.version).toBeUndefined();
  expect(base.router.get('thermometer')?.last).toEqual({});
  const said = log.filter(({ fields }) => fields.unit === 'thermometer' && /key/.test(String(fields.reason)));
  expect(said).toHaveLength(1);
});

test('a unit that is another than configured, or runs another definition, is refused by name', async () => {
  const lamp = await startFirmware('led-lamp', { uid: 'hall-lamp' });
  const thermometer = await startFirmware('thermometer');
  const { base } = await startHouse({
    name: 'test',
    units: {
      known: {
        'kitchen-lamp': { definition: 'led-lamp', address: lamp.address, key: lamp.key },
        thermometer: { definition: 'rain-barrel', address: thermometer.address, key: thermometer.key },
      },
    },
  });
  expect(await base.router.command(setColor('kitchen-lamp', 'a'))).toMatchObject({
    outcome: 'unreachable',
    reason: expect.stringMatching(/hall-lamp/),
  });
  await eventually('the definition to be refused', () =>
    /rain-barrel is configured/.test(base.router.get('thermometer')?.reason ?? ''),
  );
});

test('a recorded session, played to the compiled lamp again, does nothing', async () => {
  const lamp = await startFirmware('led-lamp');
  const proxy = await countingProxy(lamp.address);
  const { base } = await startHouse({ name: 'test', units: { known: known({ ...lamp, address: proxy.address }) } });
  expect((await base.router.command(setColor('led-lamp', 'a'))).outcome).toBe('ok');
  await lamp.printed('#123456');
  await eventually('the link to close', () => proxy.open === 0);
  const recorded = proxy.fromBase[0]!;
  const before = lamp.lines.length;

  const [host = '', port = ''] = lamp.address.split(':');
  const answered: number[] = [];
  await new Promise<void>((resolve) => {
    const socket = connect({ host, port: Number(port) });
    socket.on('data', (chunk) => void answered.push(...chunk));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    for (const octets of recorded) socket.write(octets);
  });
  // The initiation and the proof (4 + 64 octets) are all it ever says to somebody unproved.
  expect(answered.length).toBeLessThanOrEqual(68);
  expect(lamp.lines.length).toBe(before);
  expect((await base.router.command({ ...setColor('led-lamp', 'b'), fields: { color: '#654321' } })).outcome).toBe(
    'ok',
  );
});

test('line units that write rubbish are refused, logged once, and harm nobody; memory stays bounded', async () => {
  const traversal = await peer((write) => void write('../../x\n../../x\n../../x\n12\n'));
  const endless = await peer((write) => {
    const flood = (): void => {
      for (let round = 0; round < 64; round += 1) if (!write('9'.repeat(1_024))) return;
    };
    flood();
  });
  const sensor = await startFirmware('light-sensor');
  const { base, log } = await startHouse({
    name: 'test',
    units: {
      known: {
        traversal: { definition: 'light-sensor', address: traversal },
        endless: { definition: 'light-sensor', address: endless },
        ...known(sensor),
      },
    },
  });
  await eventually('the good line', () => base.router.get('traversal')?.last.light?.fields.level === 12);
  await eventually('the endless line', () => /without an end/.test(base.router.get('endless')?.reason ?? ''));
  await eventually('the honest sensor', () => base.router.get('light-sensor')?.last.light !== undefined);
  expect(base.router.get('traversal')?.counts).toMatchObject({ reports: 1, refused: 3 });
  expect(base.router.get('endless')?.counts.reports).toBe(0);
  const refusals = log.filter(({ fields, message }) => fields.unit === 'traversal' && message.startsWith('refused'));
  expect(refusals).toHaveLength(1);
});

test('a typed unit that announces a frame longer than the bound loses its link, and only that', async () => {
  const liar = await peer((write) => {
    write(Uint8Array.of(0x01, 0x03, 0xff, 0xff));
    write(new Uint8Array(70_000).fill(0xff));
  });
  const lamp = await startFirmware('led-lamp');
  const { base } = await startHouse({
    name: 'test',
    units: { known: { liar: { definition: 'thermometer', address: liar, key: lamp.key }, ...known(lamp) } },
  });
  await eventually(
    'the liar to be refused',
    () => base.router.get('liar')?.state === 'offline' && base.router.get('liar')?.reason !== 'not reached yet',
  );
  expect((await base.router.command(setColor('led-lamp', 'a'))).outcome).toBe('ok');
});
