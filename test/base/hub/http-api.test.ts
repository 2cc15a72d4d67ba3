import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ApiRequest, callApi, publish } from './support/api-client.js';
import { APP, startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';

const now = (): number => Math.floor(Date.now() / 1000);

describe('the signature of a request', () => {
  it.each<[string, Partial<ApiRequest>, string]>([
    [
      'another secret',
      { secret: 'other' },
      'Invalid signature: you should have sent HmacSHA256Hex("GET\\n/apps/3/channels\\n',
    ],
    ['another key', { signed: { auth_key: 'other' } }, 'Unknown auth_key'],
    ['another version', { signed: { auth_version: '1.1' } }, 'Invalid auth_version'],
    ['a timestamp of letters', { signed: { auth_timestamp: 'now' } }, 'Invalid auth_timestamp'],
    ['an old timestamp', { signed: { auth_timestamp: String(now() - 660) } }, 'Timestamp expired'],
    ['a timestamp of the future', { signed: { auth_timestamp: String(now() + 660) } }, 'Timestamp expired'],
    ['a parameter changed afterwards', { params: { info: 'a' }, forged: { info: 'b' } }, 'Invalid signature'],
    ['a parameter added afterwards', { forged: { info: 'subscription_count' } }, 'Invalid signature'],
    ['no key', { signed: { auth_key: undefined } }, 'missing: auth_key'],
    ['no timestamp', { signed: { auth_timestamp: undefined } }, 'missing: auth_timestamp'],
    ['no version', { signed: { auth_version: undefined } }, 'missing: auth_version'],
    ['a body_md5 for no body', { signed: { body_md5: '0' } }, 'Invalid body_md5'],
  ])('%s: 401', async (_, request, message) => {
    const { port } = await startHub();
    const answer = await callApi(port, { path: '/channels', ...request });
    expect(answer).toEqual({
      status: 401,
      body: { error: expect.stringContaining(message), code: 401 },
      contentType: 'application/json',
    });
  });

  it.each([-590, 590])('allows the clock to be %i s off', async (seconds) => {
    const { port } = await startHub();
    const answer = await callApi(port, { path: '/channels', signed: { auth_timestamp: String(now() + seconds) } });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['of another body', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['missing', undefined],
  ])('body_md5 %s: 401', async (_, md5) => {
    const { port } = await startHub();
    const body = { name: 'x', channel: 'a', data: '1' };
    const answer = await callApi(port, { path: '/events', body, signed: { body_md5: md5 } });
    expect(answer.status).toBe(401);
    expect(answer.body.error).toContain('body_md5');
  });

  it('holds whether values are encoded in the address or not', async () => {
    const { port } = await startHub();
    const answer = await callApi(port, { path: '/channels', params: { filter_by_prefix: 'a=b;c,d@e 100%+ü' } });
    expect([answer.status, answer.body]).toEqual([200, { channels: {} }]);
  });

  it('a parameter given twice: 400', async () => {
    const { port } = await startHub();
    const response = await fetch(`http://127.0.0.1:${port}/apps/3/channels?info=a&INFO=b`);
    expect(response.status).toBe(400);
  });

  it('none at all: 401', async () => {
    const { port } = await startHub();
    expect((await fetch(`http://127.0.0.1:${port}/apps/3/channels`)).status).toBe(401);
  });
});

describe('paths', () => {
  it('of an unknown app: 404', async () => {
    const { port } = await startHub();
    expect((await callApi(port, { path: '/channels', appId: '77' })).status).toBe(404);
  });

  it('of a disabled app: 403', async () => {
    const { port } = await startHub({ enabled: false });
    expect((await callApi(port, { path: '/channels' })).status).toBe(403);
  });

  it.each(['/', '/nonsense', '/channels/', '/channels/a/b', '/users/terminate_connections'])(
    '%s: 404',
    async (path) => {
      const { port } = await startHub();
      expect((await callApi(port, { path })).status).toBe(404);
    },
  );

  it('with the wrong method: 405, saying which is right', async () => {
    const { port } = await startHub();
    expect((await callApi(port, { path: '/events' })).status).toBe(405);
    expect((await callApi(port, { path: '/channels', body: {} })).status).toBe(405);
    const response = await fetch(`http://127.0.0.1:${port}/apps/3/events`);
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('of the WebSocket without an upgrade: 426', async () => {
    const { port } = await startHub();
    expect((await fetch(`http://127.0.0.1:${port}/app/${APP.key}?protocol=7`)).status).toBe(426);
  });
});

describe('POST /events', () => {
  it('reaches every channel once, but not the excluded connection', async () => {
    const { port } = await startHub();
    const [a, b] = [await RawClient.connect(port), await RawClient.connect(port)];
    for (const client of [a, b]) for (const channel of ['one', 'two']) await client.join(channel);
    const answer = await publish(port, {
      name: 'x',
      channels: ['one', 'two', 'one', 'nobody'],
      data: '{"a":"ü"}',
      socket_id: b.socketId,
    });
    expect(answer).toEqual({ status: 200, body: {}, contentType: 'application/json' });
    expect(await a.settled()).toEqual([
      { event: 'x', channel: 'one', data: '{"a":"ü"}' },
      { event: 'x', channel: 'two', data: '{"a":"ü"}' },
    ]);
    expect(await b.settled()).toEqual([]);
  });

  it('tells what info asks for', async () => {
    const { port } = await startHub();
    const client = await RawClient.connect(port);
    await client.join('one');
    await client.joinAs('presence-two', 'u');
    const event = { name: 'x', channels: ['one', 'presence-two', 'presence-empty'], data: '1' };
    expect((await publish(port, { ...event, info: 'subscription_count,user_count' })).body).toEqual({
      channels: {
        one: { subscription_count: 1 },
        'presence-two': { subscription_count: 1, user_count: 1 },
        'presence-empty': { subscription_count: 0, user_count: 0 },
      },
    });
  });

  const good = { name: 'x', channel: 'a', data: '1' };
  it.each<[string, string | object, number]>([
    ['no JSON', '{', 400],
    ['no object', '[]', 400],
    ['no name', { ...good, name: undefined }, 400],
    ['an empty name', { ...good, name: '' }, 400],
    ['a name that is no text', { ...good, name: 7 }, 400],
    ['a name of 201 characters', { ...good, name: 'x'.repeat(201) }, 400],
    ['a name of the protocol', { ...good, name: 'pusher_internal:member_added' }, 400],
    ['no data', { ...good, data: undefined }, 400],
    ['data that is no text', { ...good, data: { a: 1 } }, 400],
    ['10,241 octets of data', { ...good, data: 'x'.repeat(10_241) }, 413],
    ['10,242 octets in 5,121 characters', { ...good, data: 'ü'.repeat(5_121) }, 413],
    ['no channel', { ...good, channel: undefined }, 400],
    ['an illegal channel', { ...good, channel: 'a b' }, 400],
    ['a channel that is no text', { ...good, channel: 7 }, 400],
    ['no channels', { ...good, channels: [] }, 400],
    ['channels that are no list', { ...good, channels: 'a' }, 400],
    ['101 channels', { ...good, channels: Array.from({ length: 101 }, (_, index) => `c${index}`) }, 400],
    ['two channels, one encrypted', { ...good, channels: ['a', 'private-encrypted-b'] }, 400],
    ['an illegal socket_id', { ...good, socket_id: 'x' }, 400],
    ['unknown info', { ...good, info: 'colour' }, 400],
    ['a longer body than any good one', { ...good, more: 'x'.repeat(700_000) }, 413],
  ])('%s is refused', async (_, body, status) => {
    const { port } = await startHub();
    const client = await RawClient.connect(port);
    await client.join('a');
    const answer = await callApi(port, { path: '/events', body });
    expect(answer).toMatchObject({ status, body: { error: expect.any(String), code: status } });
    expect(await client.settled()).toEqual([]);
  });

  it('takes an event at all its bounds', async () => {
    const { port } = await startHub();
    const channels = Array.from({ length: 100 }, (_, index) => `c${index}`.padEnd(200, 'x'));
    const client = await RawClient.connect(port);
    await client.join(channels[99]!);
    // Each octet of it is six in the body.
    const event = { name: 'x'.repeat(200), channels, data: '\u0001'.repeat(10_240) };
    expect((await publish(port, event)).status).toBe(200);
    expect((await client.next()).data).toHaveLength(10_240);
  });
});

describe('POST /batch_events', () => {
  const send = (port: number, batch: unknown) => callApi(port, { path: '/batch_events', body: { batch } });

  it('publishes in order, and answers by index', async () => {
    const { port } = await startHub();
    const [a, b] = [await RawClient.connect(port), await RawClient.connect(port)];
    await a.joinAs('presence-a', 'u');
    await b.join('b');
    const plain = { name: 'x', channel: 'b', data: '1' };
    expect((await send(port, [plain])).body).toEqual({});
    const answer = await send(port, [
      { ...plain, info: 'subscription_count' },
      { ...plain, socket_id: b.socketId },
      { name: 'y', channel: 'presence-a', data: '2', info: 'user_count' },
    ]);
    expect(answer.body).toEqual({ batch: [{ subscription_count: 1 }, {}, { user_count: 1 }] });
    expect((await b.settled()).map(({ event }) => event)).toEqual(['x', 'x']);
    expect((await a.settled()).map(({ event }) => event)).toEqual(['y']);
  });

  it('takes ten of full size and not eleven; one bad event refuses all', async () => {
    const { port } = await startHub();
    const client = await RawClient.connect(port);
    await client.join('a');
    const full = { name: 'x', channel: 'a', data: '\u0001'.repeat(10_240) };
    expect((await send(port, Array(11).fill(full))).status).toBe(400);
    expect((await send(port, [full, { ...full, data: 'x'.repeat(10_241) }])).status).toBe(413);
    expect((await send(port, [full, { ...full, channel: undefined, channels: ['a'] }])).status).toBe(400);
    expect((await send(port, [full, null])).status).toBe(400);
    expect((await send(port, 'x')).status).toBe(400);
    expect(await client.settled()).toEqual([]);
    expect((await send(port, Array(10).fill(full))).status).toBe(200);
    expect(await client.settled()).toHaveLength(10);
  });
});

describe('GET /channels', () => {
  it('lists the occupied ones, with a prefix, with users', async () => {
    const { port } = await startHub();
    const [a, b] = [await RawClient.connect(port), await RawClient.connect(port)];
    await a.join('room');
    await a.joinAs('presence-a', 'u');
    await b.joinAs('presence-a', 'u');
    await b.join('gone');
    b.send({ event: 'pusher:unsubscribe', data: { channel: 'gone' } });
    await b.settled();
    const list = async (params = {}) => (await callApi(port, { path: '/channels', params })).body;
    expect(await list()).toEqual({ channels: { room: {}, 'presence-a': {} } });
    expect(await list({ filter_by_prefix: 'r' })).toEqual({ channels: { room: {} } });
    expect(await list({ filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({
      channels: { 'presence-a': { user_count: 1 } },
    });
  });

  it.each([{ info: 'user_count' }, { info: 'user_count', filter_by_prefix: 'private-' }, { info: 'nonsense' }])(
    'with %j: 400',
    async (params) => {
      const { port } = await startHub();
      expect((await callApi(port, { path: '/channels', params })).status).toBe(400);
    },
  );
});

describe('GET /channels/{channel}', () => {
  it('tells whether it is occupied, and by how many', async () => {
    const { port } = await startHub();
    const [a, b] = [await RawClient.connect(port), await RawClient.connect(port)];
    await a.joinAs('presence-cache-a', 'u');
    await b.joinAs('presence-cache-a', 'u');
    await publish(port, { name: 'x', channel: 'presence-cache-a', data: '"d"' });
    const describe_ = async (channel: string, params = {}) =>
      (await callApi(port, { path: `/channels/${channel}`, params })).body;
    expect(await describe_('presence-cache-a')).toEqual({ occupied: true });
    expect(await describe_('presence-cache-a', { info: 'user_count,subscription_count,cache' })).toEqual({
      occupied: true,
      user_count: 1,
      subscription_count: 2,
      cache: { data: '"d"', ttl: 1800 },
    });
    expect(await describe_('room', { info: 'subscription_count' })).toEqual({ occupied: false, subscription_count: 0 });
  });

  it('of an illegal name, or with unknown info: 400', async () => {
    const { port } = await startHub();
    expect((await callApi(port, { path: '/channels/a b' })).status).toBe(400);
    expect((await callApi(port, { path: '/channels/a', params: { info: 'nonsense' } })).status).toBe(400);
  });
});

describe('GET /channels/{channel}/users', () => {
  it('lists each user once', async () => {
    const { port } = await startHub();
    const [a, b] = [await RawClient.connect(port), await RawClient.connect(port)];
    await a.joinAs('presence-a', 1);
    await b.joinAs('presence-a', 'two');
    const users = async (channel: string) => callApi(port, { path: `/channels/${channel}/users` });
    expect((await users('presence-a')).body).toEqual({ users: [{ id: '1' }, { id: 'two' }] });
    expect((await users('presence-empty')).body).toEqual({ users: [] });
    expect((await users('room')).status).toBe(400);
  });
});

describe('a strange client', () => {
  it('that cuts its request short leaves no trace', async () => {
    const { port, log } = await startHub();
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /apps/3/events?auth_key=a HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    expect((await callApi(port, { path: '/channels' })).status).toBe(200);
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('with headers past 8 KiB is refused with 431', async () => {
    const { port } = await startHub();
    const response = await fetch(`http://127.0.0.1:${port}/apps/3/channels`, { headers: { x: 'y'.repeat(8_300) } });
    expect(response.status).toBe(431);
  });
});
