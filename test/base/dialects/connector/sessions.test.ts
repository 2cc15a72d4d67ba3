import { once } from 'node:events';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { settle } from '../../../support/manual-clock.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { ConnectorRig, type DevicePeer } from './connector-rig.js';

let rig: ConnectorRig;
afterEach(() => rig.stop());

test('a newer connection of a device replaces the older, and presence says so once', async () => {
  rig = await ConnectorRig.start();
  const older = await rig.device('lamp');
  const newer = await rig.device('lamp', { 'Device-Name': 'newer' });
  expect(await older.closed).toBe('4000 replaced');
  await settle(5);
  expect(rig.presence()).toEqual(['lamp online']);
  expect(rig.connections.list()).toMatchObject([{ unit: 'lamp', name: 'newer' }]);
  newer.say('still here');
  await rig.until('it is heard', () => rig.reports().length === 1);
  newer.socket.close();
  await rig.until('it is away', () => rig.presence().length === 2);
  expect(rig.presence()).toEqual(['lamp online', 'lamp offline: it closed its connection']);
  expect(rig.counts()).toEqual({ replaced: 1 });
});

test('the late close of a connection that was replaced touches nothing of the new one', async () => {
  rig = await ConnectorRig.start();
  const older = await rig.device('lamp');
  // Half open: it does not even read the goodbye.
  older.socket.pause();
  const newer = await rig.device('lamp');
  const outcome = rig.command('lamp', 'x');
  const told = await newer.next();
  older.socket.terminate();
  await once(older.socket, 'close');
  await newer.isRead();
  expect(rig.connections.units()).toEqual(['lamp']);
  newer.answer(told, '');
  expect((await outcome).outcome).toBe('ok');
  expect(rig.presence()).toEqual(['lamp online']);
});

test('what a connection says after it was replaced is not heard', async () => {
  rig = await ConnectorRig.start();
  const older = await rig.device('lamp');
  const newer = await rig.device('lamp');
  older.socket.send('too late');
  newer.say('in time');
  await rig.until('one is heard', () => rig.reports().length === 1);
  await older.closed;
  expect(rig.reports()).toEqual([['lamp', 'utf8', 'in time']]);
});

test('a device that connects 1,000 times, with late closes in any order, is online once, and offline once at its end', async () => {
  rig = await ConnectorRig.start({ limits: { connectionsPerMinute: 1_000, unprovedPerAddress: 64 } });
  const random = fc.sample(fc.nat(1_000_000), { numRuns: 3_000, seed: 20_261_126 });
  let at = 0;
  const pick = (below: number): number => random[at++ % random.length]! % below;
  const open: DevicePeer[] = [];
  for (let connected = 0; connected < 1_000; ) {
    const some = Math.min(1 + pick(16), 1_000 - connected);
    open.push(...(await Promise.all(Array.from({ length: some }, () => rig.device('lamp')))));
    connected += some;
    // Some of those that were replaced are closed by their side too, in any order, now or much later.
    for (let count = pick(some + 2); count > 0 && open.length > 1; count -= 1) {
      const [peer] = open.splice(pick(open.length - 1), 1);
      if (pick(2) === 0) peer!.socket.terminate();
      else peer!.socket.close();
    }
  }
  await rig.until('the newest alone is there', () => rig.connections.size === 1);
  await rig.until('the newest has opened', () => open.some(({ socket }) => socket.readyState === socket.OPEN));
  for (const peer of open) if (peer.socket.readyState !== peer.socket.OPEN) peer.socket.terminate();
  await settle(20);
  expect(rig.presence()).toEqual(['lamp online']);
  expect(rig.connections.totals().established).toBe(1_000);
  expect(rig.counts().replaced).toBe(999);
  const outcome = rig.command('lamp', 'x');
  const there = open.filter(({ socket }) => socket.readyState === socket.OPEN);
  const newest = await Promise.race(there.map(async (peer) => ({ peer, told: await peer.next() })));
  newest.peer.answer(newest.told, '');
  expect((await outcome).outcome).toBe('ok');
  for (const peer of open) peer.socket.terminate();
  await rig.until('it is away', () => rig.presence().length === 2);
  expect(rig.presence()).toEqual(['lamp online', 'lamp offline: its connection was lost']);
}, 60_000);

test('a connection that is lost says so', async () => {
  rig = await ConnectorRig.start();
  (await rig.device('lamp')).socket.terminate();
  await rig.until('it is away', () => rig.presence().length === 2);
  expect(rig.presence()[1]).toBe('lamp offline: its connection was lost');
  await rig.device('lamp');
  expect(rig.presence()[2]).toBe('lamp online');
});

test('who is silent is pinged after 15 s, and whoever answers that stays', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  await rig.manual.advance(14_000);
  await device.isRead();
  const { pings } = device;
  expect(pings).toBe(0);
  await rig.manual.advance(17_000);
  await rig.until('it is pinged', () => device.pings === 1);
  for (let count = 0; count < 8; count += 1) {
    await rig.manual.advance(10_000);
    await device.isRead();
  }
  expect(rig.presence()).toEqual(['lamp online']);
});

test('who is silent for 45 s is dead', async () => {
  rig = await ConnectorRig.start();
  const device = await rig.device('lamp');
  // The first look at it, behind the octets of its upgrade.
  await rig.manual.advance(1_000);
  device.socket.pause();
  await rig.manual.advance(44_000);
  expect(rig.presence()).toEqual(['lamp online']);
  await rig.manual.advance(1_000);
  expect(rig.presence()).toEqual(['lamp online', 'lamp offline: it was silent for 45 s']);
  expect(rig.counts()).toEqual({ silent: 1 });
});

test('so many devices are connected, the next is told 503; a replacement needs no room', async () => {
  rig = await ConnectorRig.start({ limits: { sessions: 2 } });
  await rig.device('a');
  await rig.device('b');
  const refusal = await rig.refusal({ device_id: 'c' });
  expect(refusal).toMatchObject({ status: 503, body: { error: '2 devices are connected' } });
  expect(refusal.headers['retry-after']).toBe('10');
  expect(rig.router.get('c')).toBeUndefined();
  await rig.device('a');
  const outcome = await rig.refusal({ device_id: 'c' });
  expect(outcome.status).toBe(503);
});

test('so many devices are known; past that the one that is away longest goes', async () => {
  rig = await ConnectorRig.start({ limits: { units: 3 } });
  for (const id of ['a', 'b', 'c']) {
    const device = await rig.device(id);
    if (id === 'c') continue;
    device.socket.close();
    await device.closed;
    await rig.until('it is away', () => rig.router.get(id)!.state === 'offline');
  }
  const waiting = rig.command('a', 'x', { ttlMs: 60_000 });
  await rig.until('it waits', () => rig.router.get('a')!.waiting === 1);
  await rig.device('d');
  expect(await waiting).toMatchObject({ outcome: 'unreachable', reason: 'the device is no longer known' });
  expect(rig.router.list().map(({ unit }) => unit)).toEqual(['b', 'c', 'd']);
  await rig.device('b');
  expect(await rig.refusal({ device_id: 'e' })).toMatchObject({
    status: 503,
    body: { error: '3 devices are known, and all of them are connected' },
  });
  expect(rig.counts()).toMatchObject({ forgotten: 1, 'refused-503': 1 });
});

test('an upgrade that comes to nothing leaves no device behind', async () => {
  rig = await ConnectorRig.start();
  const { socket, rest } = await rig.raw();
  socket.write('GET /connect HTTP/1.1\r\nhost: x\r\ndevice_id: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  expect(await rest).toMatch(/^HTTP\/1\.1 400 /);
  expect(rig.router.list()).toEqual([]);
  expect(rig.presence()).toEqual([]);
});

test('a device that connects more than 15 times in a minute from one address is refused for 5 minutes from there', async () => {
  rig = await ConnectorRig.start();
  for (let count = 0; count < 15; count += 1) await rig.device('lamp');
  const refusal = await rig.refusal({ device_id: 'lamp' });
  expect(refusal).toMatchObject({ status: 429, headers: { 'retry-after': '300' } });
  await rig.device('other');
  await rig.device('lamp', {}, { localAddress: '127.0.0.2' });
  await rig.manual.advance(299_000);
  expect((await rig.refusal({ device_id: 'lamp' })).status).toBe(429);
  await rig.manual.advance(1_000);
  await rig.device('lamp');
});

test('devices of earlier runs are units again, the newest of them where there is no room for all', async () => {
  const store = new MemoryStore();
  rig = await ConnectorRig.start({ store });
  for (const id of ['a', 'b', 'c']) {
    await rig.device(id);
    await rig.manual.advance(1_000);
  }
  await rig.stop();
  rig = await ConnectorRig.start({ store, limits: { units: 2 } });
  expect(
    rig.router
      .list()
      .map(({ unit, state, dialect }) => [unit, state, dialect])
      .sort(),
  ).toEqual([
    ['b', 'offline', 'connector'],
    ['c', 'offline', 'connector'],
  ]);
  await rig.device('c');
  // It was known to be there: no news.
  expect(rig.presence()).toEqual([]);
});

test('at the stop all are told 1001, and who does not answer is cut after 2 s', async () => {
  rig = await ConnectorRig.start();
  const well = await rig.device('well');
  const hung = await rig.device('hung');
  hung.socket.pause();
  let isStopped = false;
  const stopping = rig.host.stop().then(() => {
    isStopped = true;
  });
  expect(await well.closed).toBe('1001 the base is stopping');
  await rig.manual.advance(1_999);
  expect(isStopped).toBe(false);
  await rig.manual.advance(1);
  await stopping;
  hung.socket.resume();
  expect(await hung.closed).toMatch(/^(1001 the base is stopping|1006)$/);
  // A restart is no news of them.
  expect(rig.presence()).toEqual(['well online', 'hung online']);
  await expect(once(rig.socket({ device_id: 'late' }), 'open')).rejects.toThrow();
  expect(rig.connections.size).toBe(0);
});
