import { describe, expect, it } from 'vitest';
import { startHub } from './support/hub-under-test.js';
import { authOf, RawClient } from './support/raw-client.js';

const ROOM = 'presence-room';

async function clients(count: number, limits = {}): Promise<RawClient[]> {
  const { port } = await startHub({}, { limits });
  return Promise.all(Array.from({ length: count }, () => RawClient.connect(port)));
}

describe('a presence channel', () => {
  it('tells a newcomer who is there, itself included', async () => {
    const [ada, bob] = await clients(2);
    await ada!.joinAs(ROOM, 'ada', { name: 'Ada' });
    const frame = await bob!.joinAs(ROOM, 7, { name: 'Bob' });
    expect(frame.channel).toBe(ROOM);
    expect(JSON.parse(frame.data)).toEqual({
      presence: { ids: ['ada', '7'], hash: { ada: { name: 'Ada' }, 7: { name: 'Bob' } }, count: 2 },
    });
  });

  it('tells the others who comes and who goes', async () => {
    const [ada, bob] = await clients(2);
    await ada!.joinAs(ROOM, 'ada');
    await bob!.joinAs(ROOM, 7, { name: 'Bob' });
    expect(await ada!.next()).toEqual({
      event: 'pusher_internal:member_added',
      channel: ROOM,
      data: JSON.stringify({ user_id: '7', user_info: { name: 'Bob' } }),
    });
    await bob!.close();
    expect(await ada!.next()).toEqual({
      event: 'pusher_internal:member_removed',
      channel: ROOM,
      data: JSON.stringify({ user_id: '7' }),
    });
  });

  it('counts a user with two connections once, until the last one leaves', async () => {
    const [ada, bob, again] = await clients(3);
    await ada!.joinAs(ROOM, 'ada');
    await bob!.joinAs(ROOM, 'bob', { name: 'Bob' });
    expect((await ada!.next()).event).toBe('pusher_internal:member_added');
    const { presence } = JSON.parse((await again!.joinAs(ROOM, 'bob', { name: 'Robert' })).data);
    expect(presence).toEqual({ ids: ['ada', 'bob'], hash: { ada: null, bob: { name: 'Bob' } }, count: 2 });
    bob!.send({ event: 'pusher:unsubscribe', data: { channel: ROOM } });
    await bob!.settled();
    expect(await ada!.settled()).toEqual([]);
    again!.send({ event: 'pusher:unsubscribe', data: { channel: ROOM } });
    expect((await ada!.next()).event).toBe('pusher_internal:member_removed');
  });

  it('takes a user called __proto__ for a user', async () => {
    const [ada] = await clients(1);
    const frame = await ada!.joinAs(ROOM, '__proto__', { name: 'P' });
    expect(frame.data).toBe('{"presence":{"ids":["__proto__"],"hash":{"__proto__":{"name":"P"}},"count":1}}');
  });

  it.each(['nonsense', '{}', '[]', '{"user_id":""}', '{"user_id":null}', '{"user_id":{"a":1}}'])(
    'refuses channel_data %s though it is signed',
    async (channelData) => {
      const [ada] = await clients(1);
      ada!.subscribe(ROOM, channelData);
      const { event, data } = await ada!.next();
      expect([event, data.type, data.status]).toEqual(['pusher:subscription_error', 'InvalidData', 400]);
    },
  );

  it('refuses channel_data that is not the text that was signed', async () => {
    const [ada] = await clients(1);
    const auth = authOf(`${ada!.socketId}:${ROOM}:{"user_id":"ada"}`);
    ada!.send({ event: 'pusher:subscribe', data: { channel: ROOM, auth, channel_data: '{"user_id": "ada"}' } });
    expect((await ada!.next()).data.status).toBe(401);
    ada!.send({ event: 'pusher:subscribe', data: { channel: ROOM, auth, channel_data: { user_id: 'ada' } } });
    expect((await ada!.next()).data.status).toBe(400);
  });

  it('refuses a subscription without channel_data of somebody not signed in', async () => {
    const [ada] = await clients(1);
    ada!.subscribe(ROOM);
    expect((await ada!.next()).data).toMatchObject({ type: 'InvalidData', status: 400 });
  });

  it('takes the signed-in user when there is no channel_data', async () => {
    const [ada] = await clients(1);
    ada!.signIn({ id: 'ada', user_info: { name: 'Ada' } });
    await ada!.next();
    const { presence } = JSON.parse((await ada!.join(ROOM)).data);
    expect(presence.hash).toEqual({ ada: { name: 'Ada' } });
  });
});

describe('bounds of a presence channel', () => {
  it('100 members, and not one more; a member may come with another connection', async () => {
    const all = await clients(102);
    for (const [index, client] of all.slice(0, 100).entries()) await client.joinAs(ROOM, index);
    const [late, again] = all.slice(100);
    late!.subscribe(ROOM, '{"user_id":"late"}');
    expect((await late!.next()).data).toMatchObject({ type: 'LimitReached', status: 403 });
    const { presence } = JSON.parse((await again!.joinAs(ROOM, 0)).data);
    expect(presence.count).toBe(100);
    await all[50]!.close();
    await again!.next();
    await late!.joinAs(ROOM, 'late');
  });

  it('a user id of 128 characters, and not one more', async () => {
    const [ada] = await clients(1);
    ada!.subscribe(ROOM, JSON.stringify({ user_id: 'u'.repeat(129) }));
    expect((await ada!.next()).data).toMatchObject({ type: 'LimitReached', status: 403 });
    await ada!.joinAs(ROOM, 'u'.repeat(128));
  });

  it('a user_info of 1024 octets, and not one more', async () => {
    const [ada] = await clients(1);
    const info = (octets: number) => ({ user_id: 'ada', user_info: { a: 'x'.repeat(octets - '{"a":""}'.length) } });
    ada!.subscribe(ROOM, JSON.stringify(info(1025)));
    expect((await ada!.next()).data).toMatchObject({ type: 'LimitReached', status: 403 });
    await ada!.join(ROOM, JSON.stringify(info(1024)));
  });

  it('a user_info nested too deeply to be written is refused like one too long', async () => {
    const [ada] = await clients(1);
    ada!.subscribe(ROOM, `{"user_id":"ada","user_info":${'['.repeat(15_000)}${']'.repeat(15_000)}}`);
    expect((await ada!.next()).data).toMatchObject({ type: 'LimitReached', status: 403 });
  });
});
