import { afterEach, describe, expect, test } from 'vitest';
import { LIST_EVERY_MS, LONG_LIST } from '../../../../base/dialects/elfin/device-list.js';
import { type ElfinPeer, ElfinRig, FAILED, MAC_A, MAC_B, MAC_C, type RigOptions, SUCCESS } from './elfin-rig.js';

const S = 1_000;

let rig: ElfinRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ElfinRig.start({ users: ['u'], ...options });
};
afterEach(async () => {
  const faults = rig.faults();
  await rig.stop();
  expect(faults).toBe(0);
});

/** Another beat that is taken. */
const beat = async (peer: ElfinPeer, mac = MAC_A): Promise<void> => void (await rig.device('u', mac, peer));
const lastSeen = (mac = MAC_A) => rig.elfin.devices().find(({ unit }) => unit === mac)!;

describe('presence', () => {
  test('is online from a beat until a minute of silence', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    await rig.manual.advance(59 * S);
    expect([rig.presence(), lastSeen().isOnline]).toEqual([[`${MAC_A} online`], true]);
    await beat(a);
    await rig.manual.advance(59 * S);
    expect(rig.presence()).toEqual([`${MAC_A} online`]);
    await rig.manual.advance(1 * S);
    expect([rig.presence().at(-1), lastSeen().isOnline]).toEqual([`${MAC_A} offline: not heard of for 60 s`, false]);
    // It is silent, and its connection is there still.
    await rig.ask(await rig.segments(), `connme;u;${MAC_A}`, SUCCESS);
    await beat(a);
    expect(rig.presence().slice(2)).toEqual([expect.stringMatching(`^${MAC_A} online: in a tunnel with 127.0.0.1:`)]);
  });

  test('ends with the connection, and the device cannot be reached', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    a.socket.end();
    await rig.until('it is away', () => rig.presence().length === 2);
    expect(rig.presence()[1]).toBe(`${MAC_A} offline: its connection was closed`);
    // Seen a moment ago, as it is told to who asks.
    expect(lastSeen().isOnline).toBe(true);
    await rig.ask(await rig.segments(), `connme;u;${MAC_A}`, FAILED);
  });

  test('tells of tunnels', async () => {
    await start();
    const [a] = await rig.tunnel();
    expect(rig.presence().slice(2)).toEqual([
      `${MAC_A} online: in a tunnel with ${MAC_B}`,
      `${MAC_B} online: in a tunnel with ${MAC_A}`,
    ]);
    const c = await rig.device('u', MAC_C);
    await rig.ask(c, `connme;u;${MAC_A}`, SUCCESS);
    expect(rig.presence().slice(-2)).toEqual([
      `${MAC_C} online: in a tunnel with ${MAC_A}`,
      `${MAC_A} online: in tunnels with ${MAC_B} and ${MAC_C}`,
    ]);
    c.socket.destroy();
    await rig.until('it is gone', () => rig.elfin.tunnels().length === 1);
    expect(rig.presence().slice(-2)).toEqual([
      `${MAC_A} online: in a tunnel with ${MAC_B}`,
      `${MAC_C} offline: its connection was closed`,
    ]);
    a.socket.destroy();
    await rig.until('it is gone', () => rig.elfin.tunnels().length === 0);
    expect(rig.presence().slice(-2)).toEqual([`${MAC_B} online`, `${MAC_A} offline: its connection was closed`]);
  });
});

describe('what is written of a device', () => {
  test('is one record at most every 30 s, and one more behind its last beat', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    expect(rig.written(MAC_A)).toBe(1);
    // Every second for 95 s.
    for (let second = 1; second <= 95; second += 1) {
      await rig.manual.advance(S);
      a.say(`beat;u;${MAC_A};h;0`);
      await rig.until('the beat', () => rig.count('control-messages') === second + 1);
    }
    expect(rig.written(MAC_A)).toBe(4);
    await rig.manual.advance(300 * S);
    expect(rig.written(MAC_A)).toBe(5);
    const last = rig.store.of('record').at(-1)!.record;
    expect(last).toMatchObject({
      handler: 'elfin',
      unit: MAC_A,
      value: { user: 'u', host: 'h', at: rig.manual.now() - 300 * S },
    });
  });

  test('does not grow with messages of a tunnel', async () => {
    await start();
    const [a, b] = await rig.tunnel();
    const before = rig.store.committed.length;
    for (let number = 0; number < 300; number += 1) {
      a.say(`data;u;${MAC_A};h;0;x`);
      await b.read(1);
      if (number % 10 === 0) await rig.manual.advance(100);
    }
    expect(rig.store.committed.length).toBe(before);
    await rig.manual.advance(60 * S);
    // And the two units' states, since they came: the base saves these every minute.
    expect(rig.store.committed.slice(before).map(({ kind }) => kind)).toEqual(['unit', 'unit', 'record']);
    expect(rig.router.get(MAC_A)!.lastSeenAt).toBeGreaterThan(rig.manual.now() - 62 * S);
  });

  test('is written anew where the disk did not take it, and nobody is held up', async () => {
    await start();
    rig.store.isFailing = true;
    const a = await rig.device('u', MAC_A);
    await rig.manual.advance(30 * S);
    expect([rig.written(MAC_A), rig.count('device-unwritten')]).toEqual([0, 2]);
    rig.store.isFailing = false;
    await rig.ask(await rig.segments(), `connme;u;${MAC_A}`, SUCCESS);
    await rig.manual.advance(30 * S);
    expect([rig.written(MAC_A), a.isClosed]).toEqual([1, false]);
    expect(rig.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('is its last life also where the disk took it only after the device had gone', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    await rig.manual.advance(10 * S);
    await beat(a);
    const at = rig.manual.now();
    a.socket.destroy();
    await rig.until('it is gone', () => rig.count('connections') === 0);
    rig.store.isFailing = true;
    await rig.manual.advance(30 * S);
    expect([rig.written(MAC_A), rig.count('device-unwritten')]).toEqual([1, 1]);
    rig.store.isFailing = false;
    await rig.manual.advance(60 * S);
    expect(rig.store.of('record').at(-1)!.record).toMatchObject({ unit: MAC_A, value: { at } });
    expect(rig.written(MAC_A)).toBe(2);
  });

  test('is there after a restart, and what was not written yet is when the base stops', async () => {
    await start();
    const a = await rig.device('u', 'f0fe6b00000a');
    await rig.device('u', MAC_B);
    await rig.manual.advance(10 * S);
    a.say('beat;u;f0fe6b00000a;attic;0');
    await rig.until('the beat', () => rig.count('control-messages') === 3);
    const { store } = rig;
    const at = rig.manual.now();
    await rig.stop();
    await start({ store, users: [] });
    expect(rig.elfin.devices()).toMatchObject([
      { unit: MAC_A, mac: 'f0fe6b00000a', user: 'u', host: 'attic', lastSeenAt: at },
      { unit: MAC_B, lastSeenAt: at - 10 * S },
    ]);
    expect(rig.elfin.users()).toMatchObject([{ uuid: 'u', devices: 2 }]);
    expect(rig.router.get(MAC_A)).toMatchObject({ state: 'offline', dialect: 'elfin' });
    const program = await rig.segments();
    await rig.ask(program, `connme;u;${MAC_A}`, FAILED);
    await rig.device('u', MAC_A, program);
    expect(rig.router.get(MAC_A)).toMatchObject({ state: 'online' });
  });

  test('is a time to come where the clock was set back: then it is not known to be online', async () => {
    await start();
    rig.manual.setNow(rig.manual.now() + 3_600 * S);
    await rig.device('u', MAC_A);
    const { store } = rig;
    await rig.stop();
    await start({ store, users: [] });
    expect(lastSeen().isOnline).toBe(false);
  });
});

describe('a unit that is forgotten', () => {
  test('is no device any more when it is away', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    // Not written yet.
    await beat(a);
    a.socket.destroy();
    await rig.until('it is gone', () => rig.count('connections') === 0);
    await rig.router.forget(MAC_A);
    expect([rig.elfin.devices(), rig.router.get(MAC_A)]).toEqual([[], undefined]);
    await rig.manual.advance(300 * S);
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:u']);
    await rig.device('u', MAC_A);
    expect([rig.written(MAC_A), rig.elfin.devices().length]).toEqual([2, 1]);
  });

  test('comes again with its next beat when it is here', async () => {
    await start();
    const a = await rig.device('u', MAC_A);
    await beat(a);
    await rig.router.forget(MAC_A);
    await rig.manual.advance(50 * S);
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:u']);
    await beat(a);
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:u', `device:${MAC_A}`]);
  });
});

describe('devices past a bound', () => {
  const macOf = (number: number): string => `F0:FE:6B:00:01:0${number}`;

  test('of a user: the one unseen longest is forgotten', async () => {
    await start({ users: ['u', 'v'], limits: { devicesPerUser: 2 } });
    await rig.device('v', MAC_A);
    const first = await rig.device('u', macOf(1));
    await rig.manual.advance(S);
    await rig.device('u', macOf(2));
    await rig.manual.advance(S);
    first.say(`data;u;${macOf(1)};h;0;x`);
    await rig.until('it lives', () => lastSeen(macOf(1)).lastSeenAt === rig.manual.now());
    expect(rig.count('forgotten-devices')).toBe(0);
    await rig.device('u', macOf(3));
    expect(
      rig.elfin
        .devices('u')
        .map(({ unit }) => unit)
        .sort(),
    ).toEqual([macOf(1), macOf(3)]);
    expect([rig.router.get(macOf(2)), rig.count('forgotten-devices')]).toEqual([undefined, 1]);
    await rig.manual.advance(60 * S);
    expect((await rig.store.load()).records.map(({ key }) => key)).not.toContain(`device:${macOf(2)}`);
    // One that moves to that user needs room as well.
    await rig.device('u', MAC_A);
    expect(rig.elfin.devices('u').map(({ unit }) => unit)).toContain(MAC_A);
    expect(rig.elfin.devices('u')).toHaveLength(2);
  });

  test('in all: the one unseen longest of any user is forgotten', async () => {
    await start({ users: ['u', 'v'], limits: { devices: 2 } });
    await rig.device('v', MAC_A);
    await rig.manual.advance(S);
    await rig.device('u', macOf(1));
    await rig.manual.advance(S);
    expect(rig.elfin.devices()).toHaveLength(2);
    await rig.device('u', macOf(2));
    expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([macOf(2), macOf(1)]);
    expect(rig.router.list()).toHaveLength(2);
  });

  test('in all: those of a user with a secret stay while others are there, however long unseen', async () => {
    await start({ limits: { devices: 2 } });
    await rig.elfin.putUser({ uuid: 's', secret: 'a right secret' });
    await rig.device('s:a right secret', MAC_A);
    for (const number of [1, 2, 3]) {
      await rig.manual.advance(S);
      await rig.device('u', macOf(number));
      expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([macOf(number), MAC_A]);
    }
    await rig.device('s:a right secret', MAC_B);
    await rig.manual.advance(S);
    await rig.device('s:a right secret', MAC_C);
    expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([MAC_C, MAC_B]);
  });

  test('are not written any more, while their tunnels go on', async () => {
    await start({ limits: { devices: 2 } });
    const [a, b] = await rig.tunnel();
    await rig.manual.advance(S);
    for (const [mac, peer] of [
      [MAC_A, a],
      [MAC_B, b],
    ] as const)
      await beat(peer, mac);
    for (const mac of [macOf(1), macOf(2)]) await rig.device('u', mac);
    a.say('data;u;x;x;1;x');
    expect((await b.read(1)).toString()).toBe('x');
    await rig.manual.advance(60 * S);
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual([
      'user:u',
      `device:${macOf(1)}`,
      `device:${macOf(2)}`,
    ]);
  });

  test('of an earlier run: those seen last stay, and the others make room on the disk', async () => {
    await start();
    for (const number of [1, 2, 3]) {
      await rig.device('u', macOf(number));
      await rig.manual.advance(S);
    }
    const { store } = rig;
    await rig.stop();
    await start({ store, users: ['u'], limits: { devices: 1, users: 1 } });
    expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([macOf(3)]);
    await rig.device('u', MAC_A);
    await rig.until('it is written', () => rig.written(MAC_A) === 1);
    expect((await store.load()).records.map(({ key }) => key)).toEqual(['user:u', `device:${MAC_A}`]);
  });

  test('are erased later where the disk did not do it at once', async () => {
    await start({ limits: { devices: 1 } });
    await rig.device('u', macOf(1));
    rig.store.isFailing = true;
    await rig.device('u', macOf(2));
    await rig.until('the disk fails', () => rig.count('device-unerased') === 1);
    rig.store.isFailing = false;
    await rig.manual.advance(30 * S);
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:u', `device:${macOf(2)}`]);
  });

  test('a host name is cut', async () => {
    await start({ limits: { hostCharacters: 5 } });
    const a = await rig.segments();
    a.say(`beat;u;${MAC_A};12345;0`);
    await rig.until('the beat', () => rig.count('control-messages') === 1);
    expect(lastSeen().host).toBe('12345');
    a.say(`beat;u;${MAC_A};123456;0`);
    await rig.until('the beat', () => rig.count('control-messages') === 2);
    expect(lastSeen().host).toBe('12345');
  });
});

test('a long list is made four times a second at most, however many ask; a short one each time', async () => {
  await start({ users: ['u', 'v'] });
  const [a, other] = [await rig.segments(), await rig.segments()];
  const mac = (number: number): string => `F0FE6B0000${number.toString(16).padStart(2, '0')}`;
  for (let number = 1; number < LONG_LIST; number += 1) await rig.device('u', mac(number), a);
  expect(await listed(a)).toHaveLength(LONG_LIST - 1);
  await rig.device('u', mac(LONG_LIST), a);
  expect(await listed(a)).toHaveLength(LONG_LIST);
  await rig.device('u', mac(LONG_LIST + 1), a);
  await rig.manual.advance(LIST_EVERY_MS - 1);
  expect(await listed(other)).toHaveLength(LONG_LIST);
  await rig.manual.advance(1);
  expect(await listed(other)).toHaveLength(LONG_LIST + 1);
});

test('the times and formats of a list are the configured ones', async () => {
  await start({ options: { timeZone: 'America/New_York', dateFormat: 'DD/MM/YYYY HH.mm.ss' } });
  rig.manual.setNow(Date.UTC(2026, 2, 8, 6, 59, 59));
  const a = await rig.device('u', MAC_A);
  await rig.ask(
    a,
    'query;u',
    `[{"hostname":"adapter","macaddress":"${MAC_A}","lastseendate":"08/03/2026 01.59.59","status":"online"}]\n`,
  );
  // The hour in which summer begins.
  rig.manual.setNow(Date.UTC(2026, 2, 8, 7, 0, 0));
  await rig.device('u', MAC_A, a);
  await rig.ask(
    a,
    'query;u',
    `[{"hostname":"adapter","macaddress":"${MAC_A}","lastseendate":"08/03/2026 03.00.00","status":"online"}]\n`,
  );
  await rig.manual.advance(60 * S);
  expect(await listed(a)).toMatchObject([{ status: 'offline' }]);
});

async function listed(peer: ElfinPeer): Promise<unknown> {
  peer.say('query;u');
  return JSON.parse(await peer.line());
}
