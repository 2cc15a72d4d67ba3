import { describe, expect, it } from 'vitest';
import { publish } from './support/api-client.js';
import { APP, startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';

async function start(): Promise<{ port: number; client: RawClient }> {
  const { port } = await startHub();
  return { port, client: await RawClient.connect(port) };
}

describe('subscribing', () => {
  it.each(['room', 'private-room', 'private-encrypted-room'])('to %s is confirmed', async (channel) => {
    const { client } = await start();
    expect(await client.join(channel)).toEqual({
      event: 'pusher_internal:subscription_succeeded',
      channel,
      data: '{}',
    });
  });

  it('to a public channel needs no proof, as pusher-js sends it', async () => {
    const { client } = await start();
    client.send({ event: 'pusher:subscribe', data: { auth: '', channel: 'room' } });
    expect((await client.next()).event).toBe('pusher_internal:subscription_succeeded');
  });

  it('works with data sent as a JSON text too', async () => {
    const { client } = await start();
    client.send({ event: 'pusher:subscribe', data: JSON.stringify({ channel: 'room' }) });
    expect((await client.next()).event).toBe('pusher_internal:subscription_succeeded');
  });

  it.each(['private-room', 'private-cache-room', 'private-encrypted-room', 'presence-room'])(
    'to %s with a wrong signature is refused on the channel, and the connection stays',
    async (channel) => {
      const { client } = await start();
      client.subscribe(channel, channel.startsWith('presence-') ? '{"user_id":"1"}' : undefined, 'wrong');
      const frame = await client.next();
      expect(frame).toEqual({
        event: 'pusher:subscription_error',
        channel,
        data: { type: 'AuthError', error: expect.stringContaining('Invalid signature'), status: 401 },
      });
      expect(frame.data.error).toContain(`${client.socketId}:${channel}`);
      expect(await client.settled()).toEqual([]);
    },
  );

  it('with the proof made for another connection is refused', async () => {
    const { port, client } = await start();
    const other = await RawClient.connect(port);
    client.socketId = other.socketId;
    client.subscribe('private-room');
    expect((await client.next()).data.status).toBe(401);
  });

  it('without proof is refused', async () => {
    const { client } = await start();
    client.send({ event: 'pusher:subscribe', data: { channel: 'private-room' } });
    expect((await client.next()).data).toMatchObject({ type: 'AuthError', status: 401 });
  });

  it('twice is an error without a code, and the first subscription stays', async () => {
    const { port, client } = await start();
    await client.join('room');
    client.subscribe('room');
    expect(await client.next()).toEqual({
      event: 'pusher:error',
      data: { code: null, message: 'Existing subscription to channel room' },
    });
    await publish(port, { name: 'x', channel: 'room', data: '1' });
    expect((await client.next()).event).toBe('x');
  });

  it.each(['a b', '', '#room', 'a'.repeat(201)])('to %j is refused for its name', async (channel) => {
    const { client } = await start();
    client.subscribe(channel);
    const { event, data } = await client.next();
    expect([event, data.type, data.status]).toEqual(['pusher:subscription_error', 'InvalidChannel', 400]);
  });

  it('past the bound of one connection is refused, until one is given back', async () => {
    const { port } = await startHub({}, { limits: { channelsPerConnection: 2 } });
    const client = await RawClient.connect(port);
    await client.join('a');
    await client.join('b');
    client.subscribe('c');
    const { event, data } = await client.next();
    expect([event, data.type, data.status]).toEqual(['pusher:subscription_error', 'LimitReached', 403]);
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'a' } });
    await client.join('c');
  });
});

describe('unsubscribing', () => {
  it('is not answered, and nothing comes any more', async () => {
    const { port, client } = await start();
    await client.join('room');
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'room' } });
    expect(await client.settled()).toEqual([]);
    await publish(port, { name: 'x', channel: 'room', data: '1' });
    expect(await client.settled()).toEqual([]);
    await client.join('room');
  });

  it('from what was never subscribed to does nothing', async () => {
    const { client } = await start();
    client.send({ event: 'pusher:unsubscribe', data: { channel: 'room' } });
    expect(await client.settled()).toEqual([]);
  });
});

describe('what the hub does not understand', () => {
  it.each([
    '{',
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"event":7}',
    '{"event":""}',
    '{"event":"pusher:nonsense"}',
    '{"event":"pusher_internal:member_added"}',
    '{"event":"pusher:subscribe"}',
    '{"event":"pusher:subscribe","data":"nonsense"}',
    '{"event":"pusher:subscribe","data":{"channel":7}}',
    '{"event":"pusher:unsubscribe","data":[]}',
  ])('%s is an error without a code, and the connection stays', async (text) => {
    const { client } = await start();
    client.socket.send(text);
    const frame = await client.next();
    expect(frame).toEqual({ event: 'pusher:error', data: { code: null, message: expect.any(String) } });
    expect(await client.settled()).toEqual([]);
  });

  it('a binary message is an error, and the connection stays', async () => {
    const { client } = await start();
    client.socket.send(Buffer.from('{"event":"pusher:ping"}'));
    expect((await client.next()).data).toEqual({ code: null, message: 'Binary messages are not supported' });
    expect(await client.settled()).toEqual([]);
  });

  it('is logged once for a connection, without the control characters', async () => {
    const { port, log } = await startHub();
    const client = await RawClient.connect(port);
    for (let count = 0; count < 5; count += 1) client.send({ event: `pusher:\n${count}` });
    await client.settled();
    const lines = log.lines.filter(({ level }) => level === 'warn');
    expect(lines.map(({ fields }) => fields.message)).toEqual(['Unknown event: pusher:·0']);
  });
});

describe('subscription counts', () => {
  it('go to all subscribers when the app wants them', async () => {
    const { port } = await startHub({ subscriptionCount: true });
    const [first, second] = [await RawClient.connect(port), await RawClient.connect(port)];
    const count = (value: number) => ({
      event: 'pusher_internal:subscription_count',
      channel: 'room',
      data: JSON.stringify({ subscription_count: value }),
    });
    await first.join('room');
    expect(await first.next()).toEqual(count(1));
    await second.join('room');
    expect(await second.next()).toEqual(count(2));
    expect(await first.next()).toEqual(count(2));
    await second.close();
    expect(await first.next()).toEqual(count(1));
  });

  it('are not sent for presence channels, and by default not at all', async () => {
    const counting = await startHub({ subscriptionCount: true });
    const client = await RawClient.connect(counting.port);
    await client.joinAs('presence-room', '1');
    expect(await client.settled()).toEqual([]);
    const quiet = await start();
    await quiet.client.join('room');
    expect(await quiet.client.settled()).toEqual([]);
  });
});

it('apps of one hub hear nothing of each other', async () => {
  const other = { id: '9', key: 'other', secret: 'other secret' };
  const { port } = await startHub({}, { apps: [APP, other] });
  const client = new RawClient(`ws://127.0.0.1:${port}/app/other?protocol=7`);
  client.socketId = JSON.parse((await client.next()).data).socket_id;
  await client.join('room');
  await publish(port, { name: 'x', channel: 'room', data: '1' });
  expect(await client.settled()).toEqual([]);
});
