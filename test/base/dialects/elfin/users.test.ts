import { afterEach, describe, expect, test } from 'vitest';
import type { Handler } from '../../../../base/dialects/handler.js';
import { MemoryStore } from '../../../support/memory-store.js';
import { ElfinRig, FAILED, MAC_A, MAC_B, type RigOptions, SUCCESS } from './elfin-rig.js';

const SECRET = 'a right secret';
const OTHER = 'another secret';
const MINUTE_MS = 60_000;

let rig: ElfinRig;
const start = async (options: RigOptions = {}): Promise<void> => {
  rig = await ElfinRig.start(options);
};
afterEach(async () => {
  const faults = rig.faults();
  await rig.stop();
  expect(faults).toBe(0);
});

describe('users', () => {
  test('are added, changed, listed and removed, and are there again after a restart', async () => {
    await start();
    const { elfin } = rig;
    expect(await elfin.putUser({ uuid: 'w', name: 'Workshop', secret: SECRET })).toEqual({
      uuid: 'w',
      name: 'Workshop',
      hasSecret: true,
      devices: 0,
    });
    await elfin.putUser({ uuid: 'a' });
    await elfin.putUser({ uuid: 'w', name: 'Attic' });
    const users = [
      { uuid: 'a', hasSecret: false, devices: 0 },
      { uuid: 'w', name: 'Attic', hasSecret: true, devices: 0 },
    ];
    expect(elfin.users()).toEqual(users);
    const { store } = rig;
    await rig.stop();
    await start({ store });
    expect(rig.elfin.users()).toEqual(users);
    await rig.ask(await rig.segments(), `query;w:${SECRET}`, '[]\n');
    expect(rig.count('wrong-secrets')).toBe(0);
    expect([await rig.elfin.removeUser('a'), await rig.elfin.removeUser('a')]).toEqual([true, false]);
    expect((await rig.elfin.putUser({ uuid: 'w', secret: null })).hasSecret).toBe(false);
  });

  test('have their secrets stored as salt and hash only, each with a salt of its own', async () => {
    await start();
    for (const uuid of ['a', 'b']) await rig.elfin.putUser({ uuid, secret: SECRET });
    const [a, b] = rig.store.of('record').map(({ record }) => record.value as { salt: string; hash: string });
    expect([a!.salt.length, a!.hash.length]).toEqual([32, 64]);
    expect([a!.salt === b!.salt, a!.hash === b!.hash]).toEqual([false, false]);
    expect(JSON.stringify([rig.store.committed, rig.log.lines])).not.toContain(SECRET);
  });

  test('are as they were where the disk does not take the change', async () => {
    await start({ users: ['a'] });
    rig.store.isFailing = true;
    await expect(rig.elfin.putUser({ uuid: 'a', secret: SECRET })).rejects.toMatchObject({ code: 'store-failed' });
    await expect(rig.elfin.putUser({ uuid: 'b' })).rejects.toMatchObject({ code: 'store-failed' });
    await expect(rig.elfin.removeUser('a')).rejects.toMatchObject({ code: 'store-failed' });
    expect(rig.elfin.users()).toEqual([{ uuid: 'a', hasSecret: false, devices: 0 }]);
    rig.store.isFailing = false;
  });

  test('are as many as there may be, and not one more', async () => {
    await start({ limits: { users: 2 }, users: ['a', 'b'] });
    await expect(rig.elfin.putUser({ uuid: 'c' })).rejects.toMatchObject({ code: 'store-busy' });
    await rig.elfin.putUser({ uuid: 'b', name: 'still there' });
    await rig.elfin.removeUser('a');
    await rig.elfin.putUser({ uuid: 'c' });
  });

  test('changed twice at once have both changes', async () => {
    await start();
    await Promise.all([
      rig.elfin.putUser({ uuid: 'a', secret: SECRET }),
      rig.elfin.putUser({ uuid: 'a', name: 'both' }),
    ]);
    expect(rig.elfin.users()).toEqual([{ uuid: 'a', name: 'both', hasSecret: true, devices: 0 }]);
  });

  test.each([
    { uuid: '' },
    { uuid: 'a;b' },
    { uuid: 'a', secret: 'x'.repeat(7) },
    { uuid: 'a', secret: 'x'.repeat(65) },
    { uuid: 'a', name: 'x'.repeat(129) },
  ])('may not be %j', async (user) => {
    await start();
    await expect(rig.elfin.putUser(user)).rejects.toMatchObject({ code: 'request-refused' });
  });

  test('removed take their devices and tunnels along, from the disk too', async () => {
    await start({ users: ['u', 'v'] });
    const [a] = await rig.tunnel();
    await rig.device('v', 'F0:FE:6B:00:00:0C');
    // Not written yet, and never to be.
    await rig.device('u', MAC_A, a);
    expect(await rig.elfin.removeUser('u')).toBe(true);
    expect(rig.presence().at(-1)).toBe(`${MAC_B} offline: its user was removed`);
    await rig.manual.advance(MINUTE_MS);
    expect([rig.elfin.tunnels(), rig.elfin.devices().length, rig.elfin.devices('u')]).toEqual([[], 1, []]);
    expect(rig.router.get(MAC_A)).toBeUndefined();
    expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:v', 'device:F0:FE:6B:00:00:0C']);
  });
});

test('a device that is not known any more is not written, whatever comes over its connection', async () => {
  await start({ users: ['u', 'v'] });
  const [a, b] = await rig.tunnel();
  // Alive since it was written.
  await rig.manual.advance(1_000);
  for (const [mac, peer] of [
    [MAC_A, a],
    [MAC_B, b],
  ] as const)
    await rig.device('u', mac, peer);
  await rig.elfin.removeUser('u');
  await rig.device('u', MAC_A, a);
  await rig.manual.advance(MINUTE_MS);
  expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['user:v']);
});

describe('an unknown user', () => {
  test('is answered as one without devices, and its beats are dropped', async () => {
    await start({ users: ['u'] });
    const peer = await rig.device('stranger', MAC_A);
    await rig.ask(peer, 'query;stranger', '[]\n');
    await rig.ask(peer, `connme;stranger;${MAC_A}`, FAILED);
    expect([rig.elfin.devices(), rig.store.of('record').length, rig.count('unknown-users')]).toEqual([[], 1, 3]);
  });

  test('is slowed down for secrets as a known one is: time does not tell who is a user', async () => {
    await start({ limits: { loginFailures: 2 } });
    const guesser = await rig.segments();
    for (const uuid of ['a', 'b', 'c']) await rig.ask(guesser, `query;${uuid}`, '[]\n');
    for (const uuid of ['a', 'b']) await rig.ask(guesser, `query;${uuid}:${OTHER}`, '[]\n');
    const before = rig.count('control-messages');
    guesser.say('query;c');
    const other = await rig.segments();
    for (let times = 0; times < 3; times += 1) await rig.ask(other, 'query;c', '[]\n');
    expect([rig.count('control-messages'), guesser.unread.length]).toEqual([before + 3, 0]);
    await rig.manual.advance(1_000);
    expect(await guesser.line()).toBe('[]\n');
  });

  test('is one without a secret, where users need not be known', async () => {
    await start({ options: { requireKnownUser: false } });
    await rig.device('anyone', MAC_A);
    await rig.ask(await rig.segments(), `connme;anyone;${MAC_A}`, SUCCESS);
    expect([rig.elfin.users(), rig.elfin.devices('anyone').length, rig.written(MAC_A)]).toEqual([[], 1, 1]);
    const { store } = rig;
    await rig.stop();
    // Its devices are nobody's where users must be known.
    await start({ store });
    await rig.until('they are erased', () => rig.store.of('erase').length === 1);
    expect([rig.elfin.devices(), rig.router.get(MAC_A)]).toEqual([[], undefined]);
  });
});

describe('a secret', () => {
  test('must be in each message of its user; without it all is as if there were nothing', async () => {
    await start();
    await rig.elfin.putUser({ uuid: 'u', secret: SECRET });
    const [a, stranger] = [await rig.segments(), await rig.segments()];
    await rig.device(`u:${SECRET}`, MAC_A, a);
    for (const user of ['u', 'u:', `u:${OTHER}`]) {
      await rig.device(user, MAC_B, stranger);
      await rig.ask(stranger, `query;${user}`, '[]\n');
      await rig.ask(stranger, `connme;${user};${MAC_A}`, FAILED);
      await rig.ask(stranger, `connthem;${user};${MAC_A};${MAC_B}`, FAILED);
    }
    expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([MAC_A]);
    await rig.ask(stranger, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    stranger.say('data;u;x;x;1;no');
    stranger.say(`data;u:${OTHER};x;x;1;no`);
    await rig.until('they are dropped', () => rig.count('dropped-data') === 2 || rig.count('dropped-data') === 1);
    await rig.ask(stranger, `query;u`, '[]\n');
    stranger.say(`data;u:${SECRET};x;x;1;yes`);
    expect((await a.read(3)).toString()).toBe('yes');
  });

  test('that is new ends what was said without it: tunnels, and where devices are', async () => {
    await start({ users: ['u'] });
    const [a, b] = await rig.tunnel();
    a.say(`data;u;${MAC_A};h;0;x`);
    expect((await b.read(1)).toString()).toBe('x');
    const program = await rig.segments();
    await rig.ask(program, `connme;u;${MAC_A}`, SUCCESS);
    program.say('data;u;x;x;1;x');
    expect((await a.read(1)).toString()).toBe('x');
    await rig.elfin.putUser({ uuid: 'u', secret: SECRET });
    expect(rig.elfin.tunnels()).toEqual([]);
    expect(rig.presence().slice(-2)).toEqual([
      `${MAC_A} offline: the secret of its user has changed`,
      `${MAC_B} offline: the secret of its user has changed`,
    ]);
    await rig.ask(program, `connme;u:${SECRET};${MAC_A}`, FAILED);
    a.say(`data;u;${MAC_A};h;0;x`);
    await rig.until('it is dropped', () => rig.count('dropped-data') === 1);
    expect(rig.router.get(MAC_A)).toMatchObject({ state: 'offline' });
    await rig.device(`u:${SECRET}`, MAC_A, a);
    await rig.ask(program, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    // A head that counted before does not any more.
    const dropped = rig.count('dropped-data');
    program.say('data;u;x;x;1;no');
    await rig.until('it is dropped', () => rig.count('dropped-data') === dropped + 1);
    program.say(`data;u:${SECRET};x;x;1;yes`);
    expect((await a.read(3)).toString()).toBe('yes');
    // The old one is wrong now.
    await rig.elfin.putUser({ uuid: 'u', secret: OTHER });
    await rig.ask(program, `connme;u:${SECRET};${MAC_A}`, FAILED);
  });

  test('that is guessed too often locks the address out for a minute; who has shown the right one goes on', async () => {
    await start({ limits: { loginFailures: 3 } });
    await rig.elfin.putUser({ uuid: 'u', secret: SECRET });
    const [proven, guesser] = [await rig.segments(), await rig.segments()];
    await rig.device(`u:${SECRET}`, MAC_A, proven);
    await rig.ask(guesser, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    const another = await rig.segments();
    for (const guess of ['guess-01', 'guess-02']) await rig.ask(another, `query;u:${guess}`, '[]\n');
    // No secret at all is no guess.
    for (let times = 0; times < 5; times += 1) await rig.ask(another, 'query;u', '[]\n');
    await rig.ask(another, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    const late = await rig.segments();
    for (const guess of ['guess-03', 'guess-04', 'guess-05']) {
      await rig.ask(late, `query;u:${guess}`, '[]\n');
      // Its address has had many: it is read again.
      await rig.manual.advance(1_000);
    }
    await rig.ask(late, `connme;u:${SECRET};${MAC_A}`, FAILED);
    expect(rig.count('locked-out')).toBe(1);
    // It is read more slowly, too.
    late.say('query;u');
    for (let times = 0; times < 3; times += 1) {
      proven.say(`query;u:${SECRET}`);
      expect(await proven.line()).toContain(MAC_A);
    }
    expect(late.unread.length).toBe(0);
    await rig.manual.advance(1_000);
    expect(await late.line()).toBe('[]\n');
    await rig.ask(another, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    expect(rig.count('locked-out')).toBe(1);
    // Whoever has another name has shown that secret still.
    await rig.elfin.putUser({ uuid: 'u', name: 'Workshop' });
    await rig.ask(another, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
    expect(rig.count('locked-out')).toBe(1);
    await rig.manual.advance(MINUTE_MS);
    await rig.device(`u:${SECRET}`, MAC_A, proven);
    await rig.ask(late, `connme;u:${SECRET};${MAC_A}`, SUCCESS);
  });

  test('that many users of an address get wrong slows it down', async () => {
    await start({ limits: { loginFailures: 2 } });
    for (const uuid of ['u', 'v', 'w']) await rig.elfin.putUser({ uuid, secret: SECRET });
    const [guesser, other] = [await rig.segments(), await rig.segments()];
    for (const uuid of ['u', 'v']) await rig.ask(guesser, `query;${uuid}:${OTHER}`, '[]\n');
    const before = rig.count('control-messages');
    guesser.say('query;w');
    // Who does not guess is not slowed down.
    for (let times = 0; times < 3; times += 1) await rig.ask(other, 'query;w', '[]\n');
    expect([rig.count('control-messages'), guesser.unread.length]).toEqual([before + 3, 0]);
    await rig.manual.advance(1_000);
    expect(await guesser.line()).toBe('[]\n');
  });
});

describe('a device', () => {
  const beat = (user: string) => `beat;${user};${MAC_A};h;0`;
  const owner = (): string | undefined => rig.elfin.devices()[0]?.user;

  test('goes to another user with a beat, while the first has no secret', async () => {
    await start({ users: ['u'] });
    await rig.elfin.putUser({ uuid: 'v', secret: SECRET });
    const [first, second] = [await rig.device('u', MAC_A), await rig.segments()];
    expect(owner()).toBe('u');
    await rig.device(`v:${SECRET}`, MAC_A, second);
    expect([owner(), rig.elfin.devices('u')]).toEqual(['v', []]);
    // And stays there: that one has a secret.
    first.say(beat('u'));
    await rig.until('it is refused', () => rig.count('refused-takeovers') === 1);
    first.say(`data;u;${MAC_A};h;0;x`);
    await rig.until('it is refused', () => rig.count('refused-takeovers') === 2);
    expect(owner()).toBe('v');
    expect(rig.router.get(MAC_A)).toMatchObject({ state: 'online' });
    await rig.ask(first, `connme;u;${MAC_A}`, FAILED);
  });

  test('moves with data of type 0 as well, back and forth on one connection', async () => {
    await start({ users: ['u', 'v'] });
    const peer = await rig.segments();
    for (const user of ['u', 'v', 'u', 'v']) {
      const before = rig.count('dropped-data');
      // The head of `u` is known when it comes again.
      if (user === 'v') await rig.device('v', MAC_A, peer);
      else {
        peer.say(`data;u;${MAC_A};h;0;x`);
        await rig.until('it came', () => rig.count('dropped-data') > before);
      }
      expect(owner()).toBe(user);
    }
  });

  test('cannot be taken from a user with a secret, also when it is away, or after a restart', async () => {
    await start({ users: ['v'] });
    await rig.elfin.putUser({ uuid: 'u', secret: SECRET });
    const first = await rig.device(`u:${SECRET}`, MAC_A);
    first.socket.destroy();
    await rig.until('it is gone', () => rig.count('connections') === 0);
    await rig.device('v', MAC_A);
    expect(owner()).toBe('u');
    const { store } = rig;
    await rig.stop();
    await start({ store });
    await rig.device('v', MAC_A);
    expect([owner(), rig.count('refused-takeovers')]).toEqual(['u', 1]);
    expect(rig.log.lines.filter(({ message }) => message.startsWith('a beat for another user'))).toHaveLength(1);
  });

  test('of its own user is where it said last', async () => {
    await start({ users: ['u'] });
    const [first, second, program] = [await rig.device('u', MAC_A), await rig.device('u', MAC_A), await rig.segments()];
    await rig.ask(program, `connme;u;${MAC_A}`, SUCCESS);
    program.say('data;u;x;x;1;hello');
    expect((await second.read(5)).toString()).toBe('hello');
    // Data of type 0 says so as well, each time.
    const life = `data;u;${MAC_A};h;0;x`;
    for (const peer of [first, second, first, second]) {
      const before = rig.count('dropped-data') + rig.count('relayed-messages');
      peer.say(life);
      await rig.until('it came', () => rig.count('dropped-data') + rig.count('relayed-messages') > before);
      expect(rig.connections.of(MAC_A)!.remoteAddress).toBe(`127.0.0.1:${peer.socket.localPort}`);
    }
    first.socket.destroy();
    await rig.until('the first is gone', () => rig.count('connections') === 2);
    expect(rig.router.get(MAC_A)).toMatchObject({ state: 'online' });
    expect(rig.elfin.tunnels()).toHaveLength(1);
  });

  test('whose unit is another handler’s is refused', async () => {
    const other: Handler = {
      name: 'other',
      listen: async (context) => {
        context.addUnit({ uid: MAC_A }, async () => ({ outcome: 'ok' }));
        context.ready();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      },
    };
    await start({ users: ['u'], handlers: [other] });
    await rig.device('u', MAC_A);
    expect([rig.elfin.devices(), rig.count('refused-units')]).toEqual([[], 1]);
    expect(rig.router.get(MAC_A)).toMatchObject({ dialect: 'other', state: 'offline' });
  });
});

test('a store of an earlier run with what was never stored so is no way in', async () => {
  const store = new MemoryStore();
  const record = (key: string, value: unknown, unit?: string) =>
    store.commit([
      { kind: 'record', record: { handler: 'elfin', key, value, ...(unit === undefined ? {} : { unit }) } },
    ]);
  await record('user:u', {});
  await record(`device:${MAC_A}`, { user: 'u', mac: MAC_A, host: 'h', at: 'soon' }, MAC_A);
  await record(`device:${MAC_B}`, { user: 'u', mac: MAC_B, host: 'h', at: 1 }, MAC_B);
  await record('device:x', { user: 'u', mac: MAC_B, host: 'h', at: 1 }, 'x');
  await start({ store });
  expect(rig.elfin.devices().map(({ unit }) => unit)).toEqual([MAC_B]);
});
