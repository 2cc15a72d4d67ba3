import { describe, expect, it } from 'vitest';
import { callApi, publish } from './support/api-client.js';
import { startHub } from './support/hub-under-test.js';
import { authOf, type Frame, RawClient } from './support/raw-client.js';

async function clients(count: number, app = {}): Promise<{ port: number; all: RawClient[] }> {
  const { port } = await startHub(app);
  return { port, all: await Promise.all(Array.from({ length: count }, () => RawClient.connect(port))) };
}

async function signedIn(client: RawClient, user: object): Promise<void> {
  client.signIn(user);
  const { event } = await client.next();
  if (event !== 'pusher:signin_success') throw new Error(`${event} instead of a sign-in`);
}

describe('signing in', () => {
  it('is confirmed with the same text', async () => {
    const { all } = await clients(1);
    const userData = '{"id": "u1",  "name":"Ü"}';
    all[0]!.send({
      event: 'pusher:signin',
      data: { auth: authOf(`${all[0]!.socketId}::user::${userData}`), user_data: userData },
    });
    expect(await all[0]!.next()).toEqual({ event: 'pusher:signin_success', data: { user_data: userData } });
    expect(await all[0]!.settled()).toEqual([]);
  });

  it.each([
    ['a wrong signature', { auth: '278d425bdf160c739803:00', user_data: '{"id":"u1"}' }],
    ['no signature', { user_data: '{"id":"u1"}' }],
    ['no user_data', { auth: '278d425bdf160c739803:00' }],
    ['nothing', undefined],
  ])('with %s is refused with 4009, and the connection stays', async (_, data) => {
    const { all } = await clients(1);
    all[0]!.send({ event: 'pusher:signin', data });
    expect(await all[0]!.next()).toEqual({ event: 'pusher:error', data: { code: 4009, message: expect.any(String) } });
    expect(await all[0]!.settled()).toEqual([]);
  });

  it.each([{}, { id: '' }, { id: 7 }, { id: 'x'.repeat(129) }, ['u1']])(
    'as %j is refused with 4009 though it is signed',
    async (user) => {
      const { all } = await clients(1);
      all[0]!.signIn(user);
      expect((await all[0]!.next()).data.code).toBe(4009);
    },
  );

  it('again as the same user is confirmed, as another refused', async () => {
    const { all } = await clients(1);
    await signedIn(all[0]!, { id: 'u1' });
    await signedIn(all[0]!, { id: 'u1' });
    all[0]!.signIn({ id: 'u2' });
    expect((await all[0]!.next()).data).toEqual({ code: 4009, message: expect.stringContaining('another user') });
  });

  it('is refused by an app that does not have it', async () => {
    const { all } = await clients(1, { userAuthentication: false });
    all[0]!.signIn({ id: 'u1' });
    expect((await all[0]!.next()).data).toEqual({ code: 4009, message: expect.stringContaining('not enabled') });
  });
});

describe('the channel of a user', () => {
  const subscribe = (user: string) => ({
    event: 'pusher:subscribe',
    data: { auth: '', channel: `#server-to-user-${user}` },
  });

  it('is open to that user on every connection, and to nobody else', async () => {
    const { port, all } = await clients(3);
    const [first, second, stranger] = all as [RawClient, RawClient, RawClient];
    for (const client of [first, second]) {
      await signedIn(client, { id: 'u1' });
      client.send(subscribe('u1'));
      expect((await client.next()).event).toBe('pusher_internal:subscription_succeeded');
    }
    await signedIn(stranger, { id: 'u2' });
    stranger.send(subscribe('u1'));
    expect(await stranger.next()).toEqual({
      event: 'pusher:subscription_error',
      channel: '#server-to-user-u1',
      data: { type: 'AuthError', error: expect.any(String), status: 401 },
    });
    await publish(port, { name: 'x', channels: ['#server-to-user-u1'], data: '"hello"' });
    const event = { event: 'x', channel: '#server-to-user-u1', data: '"hello"' };
    expect(await first.next()).toEqual(event);
    expect(await second.next()).toEqual(event);
    expect(await stranger.settled()).toEqual([]);
  });

  it('is closed before the sign-in, and carries no client events', async () => {
    const { all } = await clients(1);
    all[0]!.send(subscribe('u1'));
    expect((await all[0]!.next()).event).toBe('pusher:subscription_error');
    await signedIn(all[0]!, { id: 'u1' });
    all[0]!.send(subscribe('u1'));
    await all[0]!.next();
    all[0]!.send({ event: 'client-x', channel: '#server-to-user-u1', data: 1 });
    expect((await all[0]!.next()).data.code).toBe(4301);
  });

  it('is not listed', async () => {
    const { port, all } = await clients(1);
    await signedIn(all[0]!, { id: 'u1' });
    all[0]!.send(subscribe('u1'));
    await all[0]!.next();
    expect((await callApi(port, { path: '/channels' })).body).toEqual({ channels: {} });
  });
});

describe('terminating a user', () => {
  it('closes all connections of that user with 4009', async () => {
    const { port, all } = await clients(3);
    await signedIn(all[0]!, { id: 'a b/ü' });
    await signedIn(all[1]!, { id: 'a b/ü' });
    await signedIn(all[2]!, { id: 'other' });
    expect(await callApi(port, { path: '/users/a b/ü/terminate_connections', body: '{}' })).toMatchObject({
      status: 200,
      body: {},
    });
    expect((await all[0]!.closed).code).toBe(4009);
    expect((await all[1]!.closed).code).toBe(4009);
    expect(await all[2]!.settled()).toEqual([]);
  });

  it('that nobody is, is fine', async () => {
    const { port } = await clients(0);
    expect((await callApi(port, { path: '/users/nobody/terminate_connections', body: {} })).status).toBe(200);
  });
});

describe('the watchlist', () => {
  const changes = ({ event, data }: Frame): unknown => {
    expect(event).toBe('pusher_internal:watchlist_events');
    return JSON.parse(data).events;
  };

  it('tells at sign-in who is online and who is not, then every change', async () => {
    const { all } = await clients(4);
    const [ada, bob, bobAgain, cid] = all as [RawClient, RawClient, RawClient, RawClient];
    await signedIn(bob, { id: 'bob' });
    await signedIn(ada, { id: 'ada', watchlist: ['bob', 'cid', 'bob'] });
    expect(changes(await ada.next())).toEqual([
      { name: 'online', user_ids: ['bob'] },
      { name: 'offline', user_ids: ['cid'] },
    ]);
    await signedIn(cid, { id: 'cid', watchlist: [] });
    expect(changes(await ada.next())).toEqual([{ name: 'online', user_ids: ['cid'] }]);
    await signedIn(bobAgain, { id: 'bob' });
    await bob.close();
    expect(await ada.settled()).toEqual([]);
    await bobAgain.close();
    expect(changes(await ada.next())).toEqual([{ name: 'offline', user_ids: ['bob'] }]);
    expect(await cid.settled()).toEqual([]);
  });

  it('takes 100 users; one more is refused with 4302', async () => {
    const { all } = await clients(1);
    const watchlist = Array.from({ length: 101 }, (_, index) => `u${index}`);
    all[0]!.signIn({ id: 'ada', watchlist });
    expect(await all[0]!.next()).toEqual({ event: 'pusher:error', data: { code: 4302, message: expect.any(String) } });
    await signedIn(all[0]!, { id: 'ada', watchlist: watchlist.slice(1) });
    expect(changes(await all[0]!.next())).toEqual([{ name: 'offline', user_ids: watchlist.slice(1) }]);
  });

  it.each(['bob', [7], {}])('of %j is refused with 4302', async (watchlist) => {
    const { all } = await clients(1);
    all[0]!.signIn({ id: 'ada', watchlist });
    expect((await all[0]!.next()).data.code).toBe(4302);
  });
});
