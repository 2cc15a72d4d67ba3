import { afterEach, expect, test } from 'vitest';
import { settle } from '../../../support/manual-clock.js';
import { ConnectorRig } from './connector-rig.js';

let rig: ConnectorRig;
afterEach(() => rig.stop());

test('what a device says is a report: JSON, other text, octets', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  for (const message of [{ t: 21.5, ok: true }, [1], '"text"', '7', 'null', 'no JSON {', '', Buffer.from([0, 255, 7])])
    device.say(message);
  await rig.until('all are reports', () => rig.reports().length === 8);
  expect(rig.reports()).toEqual([
    ['meter', 'json', { t: 21.5, ok: true }],
    ['meter', 'json', [1]],
    ['meter', 'json', 'text'],
    ['meter', 'json', 7],
    ['meter', 'json', null],
    ['meter', 'utf8', 'no JSON {'],
    ['meter', 'utf8', ''],
    ['meter', 'binary', [0, 255, 7]],
  ]);
  expect(rig.store.of('report')).toHaveLength(8);
  expect(rig.router.get('meter')).toMatchObject({ dialect: 'connector', counts: { reports: 8 } });
  expect(rig.connections.list()).toMatchObject([{ unit: 'meter', handler: 'connector', receivedMessages: 8 }]);
});

test('without history, it is told and not stored', async () => {
  rig = await ConnectorRig.start({ options: { history: false } });
  (await rig.device('meter')).say({ t: 1 });
  await rig.until('it is told', () => rig.reports().length === 1);
  expect(rig.store.of('report')).toEqual([]);
});

test('JSON that is nested 32,000 deep stays text, and "__proto__" is a name like any other', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  const deep = '['.repeat(32_000) + ']'.repeat(32_000);
  device.say(deep);
  device.say('{"__proto__":{"id":"x","polluted":true},"constructor":{"prototype":{"polluted":true}},"t":1}');
  await rig.until('both are reports', () => rig.reports().length === 2);
  expect((rig.reports()[0] as unknown[])[2] === deep).toBe(true);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(rig.router.get('meter')?.last).toMatchObject({ telemetry: { fields: { t: 1 } } });
});

test('a message of 64 KiB is taken, a longer one closes the connection with 1009', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  device.say('x'.repeat(64 * 1024));
  await rig.until('it is a report', () => rig.reports().length === 1);
  device.say('x'.repeat(64 * 1024 + 1));
  expect(await device.closed).toBe('1009');
  expect(rig.presence()).toEqual(['meter online', 'meter offline: it sent a message of more than 65536 octets']);
  expect(rig.counts()).toMatchObject({ 'message-too-long': 1 });
  expect(rig.router.get('meter')?.counts).toMatchObject({ reports: 1, refused: 1 });
});

test('text that is no UTF-8 closes the connection with 1007', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  device.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
  expect(await device.closed).toBe('1007');
  expect(rig.counts()).toMatchObject({ malformed: 1 });
});

test('200 messages at once and 50 a second: past that the device is read more slowly, and nothing is lost', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  for (let count = 0; count < 500; count += 1) device.say({ count });
  await rig.until('the burst is taken', () => rig.reports().length === 201);
  await settle(20);
  // One on credit.
  expect(rig.reports()).toHaveLength(201);
  expect(rig.counts()['slowed-down']).toBeGreaterThanOrEqual(1);
  await rig.manual.advance(1_000);
  await settle(20);
  expect(rig.reports().length).toBeGreaterThanOrEqual(250);
  expect(rig.reports().length).toBeLessThanOrEqual(252);
  await rig.manual.advance(5_000);
  await rig.until('all are taken', () => rig.reports().length === 500);
  expect(rig.reports()).toEqual(Array.from({ length: 500 }, (_, count) => ['meter', 'json', { count }]));
  expect(rig.presence()).toEqual(['meter online']);
});

test('answers cost nothing of that', async () => {
  rig = await ConnectorRig.start({ limits: { messageBurst: 1 } });
  const device = await rig.device('meter');
  for (let count = 0; count < 20; count += 1) {
    const outcome = rig.command('meter', 'x');
    device.answer(await device.next(), '');
    expect((await outcome).outcome).toBe('ok');
  }
  expect(rig.counts()['slowed-down']).toBeUndefined();
});

test('pings cost as much as messages', async () => {
  rig = await ConnectorRig.start({ limits: { messageBurst: 10 } });
  const device = await rig.device('meter');
  for (let count = 0; count < 40; count += 1) device.socket.ping();
  await rig.until('it is slowed down', () => rig.counts()['slowed-down'] !== undefined);
  device.say('behind');
  await settle(20);
  expect(rig.reports()).toEqual([]);
  await rig.manual.advance(1_000);
  await rig.until('it is read', () => rig.reports().length === 1);
});

test('what was sent before the goodbye is taken too', async () => {
  rig = await ConnectorRig.start({ limits: { messageBurst: 10 } });
  const device = await rig.device('meter');
  for (let count = 0; count < 60; count += 1) device.say({ count });
  device.socket.close();
  await rig.until('it is slowed down', () => rig.counts()['slowed-down'] !== undefined);
  for (let seconds = 0; seconds < 3; seconds += 1) {
    await rig.manual.advance(1_000);
    await settle(20);
  }
  await rig.until('all are taken', () => rig.reports().length === 60);
  await rig.until('it is away', () => rig.presence().length === 2);
});

test('so many messages of one device are on their way to the disk, and then it is not read on', async () => {
  rig = await ConnectorRig.start({ limits: { reportsAtOnce: 3 } });
  const slow = await rig.device('slow');
  const other = await rig.device('other');
  let open = (): void => {};
  rig.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  for (let count = 0; count < 10; count += 1) slow.say({ count });
  await rig.until('three are read', () => rig.connections.of('slow')?.receivedMessages === 3);
  await other.isRead();
  await settle(20);
  expect(rig.connections.of('slow')).toMatchObject({ receivedMessages: 3 });
  rig.store.gate = undefined;
  open();
  await rig.until('all are reports', () => rig.reports().length === 10);
});

test('what the disk does not take is lost, counted, and said once', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('meter');
  rig.store.isFailing = true;
  device.say({ lost: 1 });
  device.say({ lost: 2 });
  await rig.until('both are counted', () => rig.counts()['message-busy'] === 2);
  rig.store.isFailing = false;
  device.say({ kept: 1 });
  await rig.until('the third is a report', () => rig.reports().length === 1);
  expect(rig.log.lines.filter(({ fields }) => fields.kind === 'busy')).toHaveLength(1);
});
