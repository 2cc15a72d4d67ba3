import { describe, expect, test } from 'vitest';
import { HIGH_WATER_OCTETS } from '../../../clients/iotsocket/client-session.js';
import { MAX_HANDLED } from '../../../clients/iotsocket/incoming-requests.js';
import type { Payload } from '../../../clients/iotsocket/index.js';
import { MAX_REDIRECTIONS } from '../../../clients/iotsocket/open-session.js';
import { toHex } from '../../../protocol/octets.js';
import { settle } from '../../support/manual-clock.js';
import { connectedObject, testObject, testPlatform } from './support/clients.js';
import { CHALLENGE, OBJECT_LOGIN, ScriptedPeer } from './support/scripted-peer.js';

const HELLO: Payload = { format: 'ascii', value: 'hello' };
const HELLO_BLOCK = '10000568656c6c6f';
const hex = (text: string) => toHex(new TextEncoder().encode(text));
const u8 = (value: number) => value.toString(16).padStart(2, '0');
const u16 = (value: number) => value.toString(16).padStart(4, '0');
/** Redirects to a port of 127.0.0.1. */
const redirectTo = (port: number) => `810009${hex('127.0.0.1')}${u16(port)}`;

describe.each([0, 1] as const)('version %i', (version) => {
  test('connects, asks, answers, and closes for sleep, as the vectors say', async () => {
    const { object, connection, heard } = await connectedObject({ version }, testPlatform(30_303));
    expect(object.state).toBe('connected');
    object.onRequest((payload) => ({ payload }));
    const answered = object.request({ format: 'binary', value: [...new TextEncoder().encode('BONJOUR')] });
    await connection.expects('30765f000007424f4e4a4f5552');
    connection.send('40765f00a0000d7b226f6b223a2274727565227d');
    const { code, payload } = await answered;
    expect([code, payload.format, payload.value]).toEqual([0, 'json', { ok: 'true' }]);
    connection.send(`30ffff${HELLO_BLOCK}`);
    await connection.expects(`40ffff00${HELLO_BLOCK}`);
    const closed = object.close('sleep');
    await connection.expects('f0a0');
    expect(await connection.ended()).toBe('');
    await closed;
    expect(object.state).toBe('idle');
    expect(heard.kinds).toEqual(['connected', 'closed']);
    expect(heard.events[1]).toEqual({ kind: 'closed', code: 0xa0, error: undefined });
  });

  test('a wrong key', async () => {
    const peer = await ScriptedPeer.start();
    const { object } = testObject({ host: '127.0.0.1', port: peer.port, version, key: '00'.repeat(16) });
    const failed = expect(object.connect()).rejects.toMatchObject({ code: 'proof-refused', family: 'protocol' });
    const connection = await peer.connection();
    await connection.takes(4);
    connection.send(`8000${CHALLENGE}`);
    expect(await connection.takes(48)).not.toBe(OBJECT_LOGIN);
    if (version === 1) connection.send('00');
    connection.socket.end();
    await failed;
    expect(object.state).toBe('idle');
  });
});

describe('connecting', () => {
  test('octet by octet', async () => {
    const peer = await ScriptedPeer.start();
    const { object } = testObject({ host: '127.0.0.1', port: peer.port });
    const connected = object.connect();
    const connection = await peer.connection();
    connection.socket.setNoDelay(true);
    const slowly = async (octets: string) => {
      for (const octet of octets.match(/../g)!) {
        connection.send(octet);
        await settle(1);
      }
    };
    await connection.expects('01000000');
    await slowly(`8000${CHALLENGE}`);
    await connection.expects(OBJECT_LOGIN);
    await slowly(`0110`);
    await connected;
    await connection.expects('20');
  });

  test('nobody is there', async () => {
    const peer = await ScriptedPeer.start();
    const { object } = testObject({ host: '127.0.0.1', port: peer.port });
    const [connection] = await Promise.all([peer.opened(), object.connect()]);
    await Promise.all([object.close(), connection.ended()]);
    const gone = testObject({ host: '127.0.0.1', port: 1 });
    await expect(gone.object.connect()).rejects.toMatchObject({ code: 'connect-failed' });
  });

  test('somebody is there, who says nothing', async () => {
    const peer = await ScriptedPeer.start();
    const { object, clock } = testObject({ host: '127.0.0.1', port: peer.port });
    const failed = expect(object.connect()).rejects.toMatchObject({ code: 'opening-timeout' });
    const connection = await peer.connection();
    await connection.expects('01000000');
    await clock.advance(5_000);
    await failed;
    await connection.ended();
    expect(clock.waiting).toBe(0);
  });

  test('twice at once is refused; after the end it goes again', async () => {
    const { object, peer, connection } = await connectedObject();
    await expect(object.connect()).rejects.toMatchObject({ code: 'internal' });
    connection.send('f001');
    await connection.ended();
    await settle();
    const [again] = await Promise.all([peer.opened(), object.connect()]);
    again.send('10');
    await again.expects('20');
  });

  test('from within the event that tells the end', async () => {
    const { object, peer, connection } = await connectedObject();
    const again = new Promise<void>((resolve, reject) => {
      object.onEvent(({ kind }) => {
        if (kind === 'closed') object.connect().then(resolve, reject);
      });
    });
    connection.socket.destroy();
    await Promise.all([peer.opened(), again]);
    expect(object.state).toBe('connected');
  });

  test('closed while it connects', async () => {
    const peer = await ScriptedPeer.start();
    const { object, clock } = testObject({ host: '127.0.0.1', port: peer.port });
    const failed = expect(object.connect()).rejects.toMatchObject({ code: 'stopped' });
    const connection = await peer.connection();
    await object.close();
    await failed;
    await connection.ended();
    expect(clock.waiting).toBe(0);
    await object.close();
  });

  test('redirected: it connects there', async () => {
    const first = await ScriptedPeer.start();
    const second = await ScriptedPeer.start();
    const { object, heard } = testObject({ host: '127.0.0.1', port: first.port });
    const connected = object.connect();
    const refused = await first.connection();
    await refused.expects('01000000');
    refused.send(redirectTo(second.port));
    expect(await refused.ended()).toBe('');
    await second.opened();
    await connected;
    expect(heard.events).toEqual([
      { kind: 'redirected', host: '127.0.0.1', port: second.port },
      { kind: 'connected', remote: `127.0.0.1:${second.port}` },
    ]);
  });

  test('redirected in a circle: as often as is allowed, then no more', async () => {
    const peer = await ScriptedPeer.start();
    const { object, heard } = testObject({ host: '127.0.0.1', port: peer.port });
    const failed = expect(object.connect()).rejects.toMatchObject({ code: 'connect-failed' });
    for (let hop = 0; hop <= MAX_REDIRECTIONS; hop += 1) {
      const connection = await peer.connection();
      await connection.expects('01000000');
      connection.send(redirectTo(peer.port));
    }
    await failed;
    expect(heard.kinds.filter((kind) => kind === 'redirected')).toHaveLength(MAX_REDIRECTIONS);
  });
});

describe('the session', () => {
  test('replaced by another of the same UID: it hears that it is closed', async () => {
    const { object, connection, heard } = await connectedObject();
    connection.socket.end();
    expect(await heard.event('closed')).toMatchObject({ code: undefined, error: { code: 'link-lost' } });
    expect(object.state).toBe('idle');
  });

  test('what the concentrator may not send: close 00, and the client says why', async () => {
    const { connection, heard } = await connectedObject();
    connection.send('38');
    connection.send('0000000000000000004f626a54657374765f000007424f4e4a4f5552');
    await connection.expects('f000');
    connection.socket.end();
    expect(await heard.event('closed')).toMatchObject({ code: 0, error: { code: 'frame-malformed' } });
  });

  test('octets that come in pieces; a hundred requests of one read answered in one write', async () => {
    const { object, connection } = await connectedObject();
    object.onRequest((payload) => ({ code: 7, payload }));
    const requests = Array.from({ length: 100 }, (_, number) => `30${u16(number)}${HELLO_BLOCK}`).join('');
    connection.send(requests.slice(0, 50));
    connection.send(requests.slice(50));
    await connection.expects(Array.from({ length: 100 }, (_, number) => `40${u16(number)}07${HELLO_BLOCK}`).join(''));
  });
});

describe('requests of the client', () => {
  test('late answers are nobody’s', async () => {
    const { object, connection, clock } = await connectedObject();
    const first = object.request(HELLO, { timeoutMs: 1_000 });
    const failed = expect(first).rejects.toMatchObject({ code: 'command-timeout', family: 'timeout' });
    await connection.expects(`300000${HELLO_BLOCK}`);
    await clock.advance(1_000);
    await failed;
    const second = object.request(HELLO);
    await connection.expects(`300001${HELLO_BLOCK}`);
    connection.send('40000000000000' + '400001a1000000');
    expect(await second).toMatchObject({ code: 0xa1 });
    expect(object.inFlight).toBe(0);
  });

  test('the default time-out is 15 s', async () => {
    const { object, clock } = await connectedObject();
    let failed = false;
    const answer = object.request(HELLO).catch(() => {
      failed = true;
    });
    // Nothing is heard, but that is no reason: pings go out, and the end comes later.
    await clock.advance(14_999);
    expect(failed).toBe(false);
    await clock.advance(1);
    await answer;
    expect(failed).toBe(true);
  });

  test('answers in another order come to the right ones', async () => {
    const { object, connection } = await connectedObject();
    const answers = Promise.all([1, 2, 3].map(() => object.request()));
    await connection.expects([0, 1, 2].map((number) => `30${u16(number)}000000`).join(''));
    connection.send([2, 0, 1].map((number) => `40${u16(number)}${u8(number)}000000`).join(''));
    expect((await answers).map(({ code }) => code)).toEqual([0, 1, 2]);
  });

  test('numbers wrap at 16 bits, around one that is in flight', async () => {
    const { object, connection } = await connectedObject({}, testPlatform(65_535));
    const held = object.request();
    await connection.expects('30ffff000000');
    const next = object.request();
    await connection.expects('300000000000');
    connection.send('40000001000000' + '40ffff02000000');
    expect([(await next).code, (await held).code]).toEqual([1, 2]);
  });

  test('in flight up to the bound; one more is refused', async () => {
    const { object, connection } = await connectedObject({ maxInFlight: 3 });
    const answers = [1, 2, 3].map(() => object.request());
    await expect(object.request()).rejects.toMatchObject({ code: 'link-stalled' });
    await connection.expects(['300000000000', '300001000000', '300002000000'].join(''));
    connection.send('40000000000000');
    await answers[0];
    const fourth = object.request();
    await connection.expects('300003000000');
    connection.send('40000100000000' + '40000200000000' + '40000300000000');
    await Promise.all([...answers, fourth]);
  });

  test('a link that is lost ends them', async () => {
    const { object, connection } = await connectedObject();
    const lost = expect(object.request()).rejects.toMatchObject({ code: 'link-lost' });
    await connection.expects('300000000000');
    connection.socket.destroy();
    await lost;
    await expect(object.request()).rejects.toMatchObject({ code: 'link-lost', message: 'there is no session' });
  });

  test('closing ends them, but for sleep: the answer comes with the session that goes on', async () => {
    const { object, connection, peer } = await connectedObject();
    const stopped = expect(object.request()).rejects.toMatchObject({ code: 'stopped' });
    await Promise.all([object.close(), connection.ended(), stopped]);
    const [second] = await Promise.all([peer.opened(), object.connect()]);
    const kept = object.request();
    await second.expects('300001000000');
    await Promise.all([object.close('sleep'), second.ended()]);
    expect(object.inFlight).toBe(1);
    await Promise.all([peer.opened(undefined, undefined, '40000105000000'), object.connect()]);
    expect(await kept).toMatchObject({ code: 5 });
  });

  test('more than the high water waits until there is room, and goes out in order', async () => {
    const { object, connection } = await connectedObject();
    connection.socket.pause();
    const data = new Uint8Array(60_000);
    const wanted = Math.ceil((20 * HIGH_WATER_OCTETS) / data.length);
    const answers = Array.from({ length: wanted }, () => object.request({ format: 0, options: 0, data }));
    await settle();
    connection.socket.resume();
    const length = data.length + 6;
    for (let number = 0; number < wanted; number += 1)
      expect((await connection.takes(length)).slice(0, 12)).toBe(`30${u16(number)}00ea60`);
    for (let number = 0; number < wanted; number += 1) connection.send(`40${u16(number)}00000000`);
    await Promise.all(answers);
  });

  test('one whose time is over before there is room is never sent', async () => {
    const { object, connection, clock } = await connectedObject();
    connection.socket.pause();
    const data = new Uint8Array(60_000);
    const block = { format: 0, options: 0, data };
    const first = Array.from({ length: 100 }, () => object.request(block, { timeoutMs: 20_000 }));
    const late = expect(object.request(HELLO, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'command-timeout' });
    const last = object.request({ ...block, data: new Uint8Array(3) });
    await settle();
    await clock.advance(1);
    await late;
    connection.socket.resume();
    for (let number = 0; number < first.length; number += 1) await connection.takes(data.length + 6);
    await connection.expects(`30${u16(first.length + 1)}000003000000`);
    for (let number = 0; number < first.length; number += 1) connection.send(`40${u16(number)}00000000`);
    connection.send(`40${u16(first.length + 1)}00000000`);
    await Promise.all([...first, last]);
  });

  test('a payload that cannot be sent is refused at once', async () => {
    const { object } = await connectedObject();
    const circle: { own?: object } = {};
    circle.own = circle;
    for (const payload of [
      { format: 'json', value: circle },
      { format: 'json', value: 7n },
      { format: 'json', value: undefined },
      { format: 'binary', value: new Uint8Array(65_536) },
      { format: 'ascii', value: 'é' },
      { format: 'binary', value: [256] },
      { format: 'utf8', value: 7 },
      { format: 'utf8', value: 'x'.repeat(65_536) },
      { format: 16, options: 0, data: new Uint8Array(1) },
      { format: 0, options: -1, data: new Uint8Array(1) },
      { format: 0, options: 0, data: new Uint8Array(65_536) },
    ] as Payload[])
      await expect(object.request(payload)).rejects.toMatchObject({ code: 'config-invalid' });
    expect(object.inFlight).toBe(0);
  });
});

test('binary octets may be an array of numbers or of octets', async () => {
  const { object, connection } = await connectedObject();
  const answers = [
    object.request({ format: 'binary', value: [1, 255] }),
    object.request({ format: 'binary', value: Uint8Array.of(1, 255) }),
    object.request({ format: 'binary', value: Buffer.of(1, 255) }),
  ];
  await connection.expects(['0000', '0001', '0002'].map((number) => `30${number}00000201ff`).join(''));
  for (const number of ['0000', '0001', '0002']) connection.send(`40${number}00000000`);
  await Promise.all(answers);
});

describe('requests of the concentrator', () => {
  test('are answered later too, each with its own number', async () => {
    const { object, connection } = await connectedObject();
    const open = new Map<unknown, (code: number) => void>();
    object.onRequest((payload) => new Promise((resolve) => open.set(payload.value, (code) => resolve({ code }))));
    connection.send('30000110000161' + '30000210000162');
    connection.send('10');
    await connection.expects('20');
    open.get('b')!(2);
    await connection.expects('40000202000000');
    open.get('a')!(1);
    await connection.expects('40000101000000');
  });

  test.each<[string, string, () => unknown]>([
    ['nothing given back', '00', () => undefined],
    [
      'a handler that throws',
      '01',
      () => {
        throw new Error('no');
      },
    ],
    ['a handler that rejects', '01', () => Promise.reject(new Error('no'))],
    ['a code that is none', '01', () => ({ code: 256 })],
    ['a payload that cannot be sent', '01', () => Promise.resolve({ payload: { format: 'ascii', value: 'é' } })],
  ])('%s: code %s', async (_, code, handler) => {
    const { object, connection, heard } = await connectedObject();
    object.onRequest(handler as () => undefined);
    connection.send('300001000000');
    await connection.expects(`400001${code}000000`);
    if (code === '01') await heard.event('handlerFailed');
  });

  test('without a handler: code 01', async () => {
    const { connection } = await connectedObject();
    connection.send('300001000000');
    await connection.expects('40000101000000');
  });

  test('as many are handled at once as are allowed; one more is answered 01 at once', async () => {
    const { object, connection } = await connectedObject();
    let handled = 0;
    object.onRequest(() => {
      handled += 1;
      return new Promise(() => {});
    });
    connection.send(Array.from({ length: MAX_HANDLED }, (_, number) => `30${u16(number)}000000`).join(''));
    connection.send('10');
    await connection.expects('20');
    expect(handled).toBe(MAX_HANDLED);
    connection.send('30ffff000000');
    await connection.expects('40ffff01000000');
    expect(handled).toBe(MAX_HANDLED);
  });

  test('a payload is what its format says, or binary; the block is as it came', async () => {
    const { object, connection } = await connectedObject();
    const seen: unknown[] = [];
    object.onRequest((payload) => {
      seen.push([payload.format, payload.value]);
      return { payload };
    });
    for (const block of ['a000077b2261223a317d', 'a000017b', '2000' + '02c3a9', '100001ff', '33000101', '01000102']) {
      connection.send(`300001${block}`);
      await connection.expects(`40000100${block}`);
    }
    expect(seen).toEqual([
      ['json', { a: 1 }],
      ['binary', [0x7b]],
      ['utf8', 'é'],
      ['binary', [0xff]],
      ['binary', [1]],
      ['binary', [2]],
    ]);
  });
});

describe('reconnecting', () => {
  test('comes back, with what was in flight; later and later', async () => {
    const platform = { ...testPlatform(), fraction: () => 0.5 };
    const { object, peer, connection, heard, clock } = await connectedObject({ reconnect: true }, platform);
    const answered = object.request(HELLO, { timeoutMs: 60_000 });
    await connection.expects(`308000${HELLO_BLOCK}`);
    connection.socket.destroy();
    expect(await heard.event('retrying')).toMatchObject({ inMs: 500, error: { code: 'link-lost' } });
    expect(object.state).toBe('waiting');
    await clock.advance(499);
    expect(object.state).toBe('waiting');
    await clock.advance(1);
    const second = await peer.opened(undefined, undefined, '40800009000000');
    expect((await answered).code).toBe(9);
    second.socket.destroy();
    expect(await heard.event('retrying', 2)).toMatchObject({ inMs: 1_000 });
    await Promise.all([clock.advance(1_000), peer.opened()]);
    await heard.event('connected', 3);
    await clock.advance(44_000);
    expect(object.state).toBe('connected');
  });

  test('a session that ends for good takes what was in flight with it', async () => {
    const { object, connection, heard } = await connectedObject({ reconnect: true });
    const lost = expect(object.request()).rejects.toMatchObject({ code: 'link-lost' });
    await connection.expects('300000000000');
    connection.send('f001');
    await lost;
    expect(await heard.event('closed')).toMatchObject({ code: 1 });
    await heard.event('retrying');
  });

  test('after a refusal in 5 min; connect goes on until it succeeds', async () => {
    const peer = await ScriptedPeer.start();
    const { object, heard, clock } = testObject({ host: '127.0.0.1', port: peer.port, reconnect: true });
    const connected = object.connect();
    const refused = await peer.connection();
    await refused.expects('01000000');
    refused.send('0000');
    expect(await heard.event('retrying')).toMatchObject({ inMs: 300_000, error: { code: 'proof-refused' } });
    await Promise.all([clock.advance(300_000), peer.opened()]);
    await connected;
  });

  test('closing ends it while it waits', async () => {
    const { object, connection, heard, clock } = await connectedObject({ reconnect: { firstMs: 5_000 } });
    connection.socket.destroy();
    await heard.event('retrying');
    await object.close();
    expect([object.state, clock.waiting]).toEqual(['idle', 0]);
  });

  test('a session that held for a minute was a good one: the delays start anew', async () => {
    const platform = { ...testPlatform(), fraction: () => 0.5 };
    const { peer, connection, heard, clock } = await connectedObject(
      { reconnect: true, deadAfterMs: 100_000 },
      platform,
    );
    connection.socket.destroy();
    await heard.event('retrying');
    const [second] = await Promise.all([peer.opened(), clock.advance(500)]);
    await heard.event('connected', 2);
    await clock.advance(60_000);
    second.socket.destroy();
    expect(await heard.event('retrying', 2)).toMatchObject({ inMs: 500 });
  });
});

test('events: a hearer that was taken off hears no more', async () => {
  const { object, connection, heard } = await connectedObject();
  const kinds: string[] = [];
  const off = object.onEvent(({ kind }) => kinds.push(kind));
  off();
  connection.send('f001');
  await heard.event('closed');
  expect(kinds).toEqual([]);
});
