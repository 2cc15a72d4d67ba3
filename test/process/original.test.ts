import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../cli/support/program.js';
import { eventually, startFirmware } from '../end-to-end/support/house.js';
import { BaseProcess } from './support/base-process.js';
import { OriginalDashboard } from './support/original-dashboard.js';

/** Loopback addresses of this run's own, so that two runs at once do not meet: the original's port is always 8888. */
const own = (last: number): string => `127.77.${process.pid % 250}.${last}`;

interface Listening {
  readonly connections: Socket[];
}

/** Whoever connects is taken, and gets this; gone after the test. */
async function listener(host: string, port: number, greeting = ''): Promise<Listening> {
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on('error', () => {});
    if (greeting !== '') socket.write(greeting);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  onTestFinished(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { connections };
}

/** The base with an original's file, subscribed to its channel. */
async function startWith(dashboard: OriginalDashboard, clients: readonly string[]): Promise<BaseProcess> {
  const folder = temporaryFolder();
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, dashboard.ca);
  const base = await BaseProcess.start(dashboard.config(clients), { folder, env: { NODE_EXTRA_CA_CERTS: ca } });
  await base.logged('subscribed', { channel: 'private-requests' });
  return base;
}

test("the original's config.json, unchanged: readings reach the dashboard, lamps its file never named obey, strangers are refused", async () => {
  const dashboard = await OriginalDashboard.start();
  await startFirmware('light-sensor', { listen: { host: own(1), port: 8888 } });
  const odd = await listener(own(2), 8888, '../../x\n21,5+:\n');
  const lamp = await startFirmware('led-lamp-line', { listen: { host: own(3), port: 8888 } });
  const otherPort = await listener(own(3), 9999);
  const base = await startWith(dashboard, [own(1), own(2)]);

  await eventually('readings of the compiled sensor', () => dashboard.readings(own(1)).length >= 2);
  for (const path of dashboard.readings(own(1)))
    expect(path).toMatch(new RegExp(`^/webhook/update-unit/${own(1)}/\\d{1,4}$`));
  await eventually('the other reading', () => dashboard.readings(own(2)).length > 0);
  expect(dashboard.readings(own(2))).toEqual([`/webhook/update-unit/${own(2)}/21%2C5%2B%3A`]);
  expect(odd.connections).toHaveLength(1);

  await dashboard.updateRequest(own(3), 'red');
  await lamp.printed('#ff0000');
  const strangers = [
    '8.8.8.8',
    'lamp.local',
    'localhost',
    `${own(3)}:9999`,
    '169.254.1.1',
    '0.0.0.0',
    '255.255.255.255',
    '../../x',
  ];
  for (let round = 0; round < 2; round += 1) {
    for (const ip of [...strangers, 7]) await dashboard.updateRequest(ip, 'green');
  }
  // Another spelling of the same lamp is the same lamp.
  await dashboard.updateRequest(`::ffff:${own(3)}`, 'blue');
  await lamp.printed('#0000ff');
  const outcomes = (unit: string) =>
    base.log.filter((line) => line.msg === 'command ended' && line.unit === unit).map(({ outcome }) => outcome);
  await base.until('the last outcome', () => outcomes(own(3)).length >= 2);
  expect(new Set(outcomes(own(3)))).toEqual(new Set(['ok']));
  for (const ip of strangers) {
    expect(outcomes(ip)).toEqual([]);
    expect(base.log.filter(({ level, unit }) => level >= 40 && unit === ip)).toMatchObject([
      { msg: 'command refused; said once' },
    ]);
  }
  expect(base.log.filter(({ event }) => event === 'update.request')).toHaveLength(1);
  expect(otherPort.connections).toHaveLength(0);
  expect(lamp.lines.filter((line) => /#[0-9a-f]{6}/.test(line))).toHaveLength(2);
  expect(dashboard.refused).toEqual([]);
  expect(dashboard.paths.filter((path) => !path.startsWith('/webhook/') && path !== '/api/broadcasting/auth')).toEqual(
    [],
  );
  expect(await base.stop()).toMatchObject({ code: 0 });
});

test('a reader that is off, and one that dies, are found again; a silent dashboard freezes nothing', async () => {
  const dashboard = await OriginalDashboard.start();
  const late = await startFirmware('light-sensor', { uid: 'late', listen: { host: own(11), port: 8888 } });
  await late.unit.stop();
  const sensor = await startFirmware('light-sensor', { listen: { host: own(12), port: 8888 } });
  const lamp = await startFirmware('led-lamp-line', { listen: { host: own(13), port: 8888 } });
  const base = await startWith(dashboard, [own(11), own(12)]);
  await base.logged(/no link/, { unit: own(11) });
  await late.unit.start();
  await eventually('the late one', () => dashboard.readings(own(11)).length > 0, 20_000);

  await eventually('a reading', () => dashboard.readings(own(12)).length > 0);
  await sensor.unit.restart();
  const before = dashboard.readings(own(12)).length;
  await eventually('a reading of its next life', () => dashboard.readings(own(12)).length > before, 20_000);

  dashboard.isSilent = true;
  await eventually('a reading without an answer', () => dashboard.held > 0);
  for (const [color, shown] of [
    ['red', '#ff0000'],
    ['lime', '#00ff00'],
  ] as const) {
    await dashboard.updateRequest(own(13), color);
    await lamp.printed(shown);
  }
  const seen = dashboard.readings(own(12)).length;
  dashboard.speakAgain();
  await eventually('readings again', () => dashboard.readings(own(12)).length > seen + 1);
  expect(dashboard.refused).toEqual([]);
});
