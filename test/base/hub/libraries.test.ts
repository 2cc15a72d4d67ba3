import type { PresenceChannel } from 'pusher-js';
import { describe, expect, it } from 'vitest';
import { APP, startHub } from './support/hub-under-test.js';
import { connected, eventOf, pusherClient, pusherServer, subscribed } from './support/pusher-clients.js';
import { within } from './support/real-time.js';
import { WebhookReceiver } from './support/webhook-receiver.js';

describe('pusher-js and the pusher library', () => {
  it.each(['room', 'private-room', 'private-encrypted-room'])('an event on %s', async (name) => {
    const { port } = await startHub();
    const channel = await subscribed(pusherClient(port), name);
    const heard = eventOf(channel, 'x');
    const response = await pusherServer(port).trigger(name, 'x', { text: 'Grüße', list: [1, null] });
    expect([response.status, await response.json()]).toEqual([200, {}]);
    expect(await heard).toEqual({ text: 'Grüße', list: [1, null] });
  });

  it('many channels, a batch, and what info tells', async () => {
    const { port } = await startHub();
    const client = pusherClient(port);
    const [a, b] = [await subscribed(client, 'a'), await subscribed(client, 'presence-b')];
    const server = pusherServer(port);
    const heard = Promise.all([eventOf(a, 'x'), eventOf(b, 'x'), eventOf(a, 'y')]);
    const triggered = await server.trigger(['a', 'presence-b'], 'x', 1, { info: 'user_count,subscription_count' });
    expect(await triggered.json()).toEqual({
      channels: { a: { subscription_count: 1 }, 'presence-b': { subscription_count: 1, user_count: 1 } },
    });
    const batch = await server.triggerBatch([{ channel: 'a', name: 'y', data: { n: 2 }, info: 'subscription_count' }]);
    expect(await batch.json()).toEqual({ batch: [{ subscription_count: 1 }] });
    expect(await heard).toEqual([1, 1, { n: 2 }]);
  });

  it('the excluded socket_id hears nothing', async () => {
    const { port } = await startHub();
    const [sender, hearer] = [pusherClient(port), pusherClient(port)];
    const channel = await subscribed(sender, 'room');
    const other = await subscribed(hearer, 'room');
    const names: string[] = [];
    channel.bind_global((name: string) => names.push(name));
    const heard = eventOf(other, 'x');
    const server = pusherServer(port);
    await server.trigger('room', 'x', 1, { socket_id: sender.connection.socket_id });
    await heard;
    const last = eventOf(channel, 'last');
    await server.trigger('room', 'last', 1);
    await last;
    expect(names).toEqual(['last']);
  });

  it('a refused authorisation is told on the channel', async () => {
    const { port } = await startHub();
    const client = pusherClient(port, undefined, {
      channelAuthorization: {
        transport: 'ajax',
        endpoint: 'unused',
        customHandler: (_: unknown, callback: (error: null, data: { auth: string }) => void) =>
          callback(null, { auth: `${APP.key}:wrong` }),
      },
    });
    const channel = client.subscribe('private-room');
    expect(await eventOf(channel, 'pusher:subscription_error')).toMatchObject({ type: 'AuthError', status: 401 });
    expect(client.connection.state).toBe('connected');
  });

  it('presence: members come, are known, go', async () => {
    const { port } = await startHub();
    const ada = (await subscribed(pusherClient(port, { id: 'ada', name: 'Ada' }), 'presence-a')) as PresenceChannel;
    const added = eventOf(ada, 'pusher:member_added');
    const bobClient = pusherClient(port, { id: 'bob', name: 'Bob' });
    const bob = (await subscribed(bobClient, 'presence-a')) as PresenceChannel;
    expect(await added).toEqual({ id: 'bob', info: { id: 'bob', name: 'Bob' } });
    expect([bob.members.count, bob.members.me.id, bob.members.get('ada').info.name]).toEqual([2, 'bob', 'Ada']);
    const users = await pusherServer(port).get({ path: '/channels/presence-a/users' });
    expect(await users.json()).toEqual({ users: [{ id: 'ada' }, { id: 'bob' }] });
    const removed = eventOf<{ id: string }>(ada, 'pusher:member_removed');
    bobClient.unsubscribe('presence-a');
    expect((await removed).id).toBe('bob');
    expect(ada.members.count).toBe(1);
  });

  it('client events, with the user on presence channels', async () => {
    const { port } = await startHub();
    const [ada, bob] = [pusherClient(port, { id: 'ada' }), pusherClient(port, { id: 'bob' })];
    const [from, to] = [await subscribed(ada, 'presence-a'), await subscribed(bob, 'presence-a')];
    const heard = within(
      'the client event',
      new Promise((resolve) => {
        to.bind('client-x', (data: unknown, metadata: unknown) => resolve([data, metadata]));
      }),
    );
    expect(from.trigger('client-x', { n: 1 })).toBe(true);
    expect(await heard).toEqual([{ n: 1 }, { user_id: 'ada' }]);
  });

  it('a client event on a public channel is an error of the connection, which stays', async () => {
    const { port } = await startHub();
    const client = pusherClient(port);
    const channel = await subscribed(client, 'room');
    const failed = eventOf(client.connection, 'error');
    channel.trigger('client-x', 1);
    expect(await failed).toMatchObject({ type: 'PusherError', data: { code: 4301 } });
    expect(client.connection.state).toBe('connected');
  });

  it('cache channels give the last event, or say that there is none', async () => {
    const { port } = await startHub();
    const client = pusherClient(port);
    const empty = client.subscribe('private-encrypted-cache-a');
    await eventOf(empty, 'pusher:cache_miss');
    const first = eventOf(empty, 'x');
    await pusherServer(port).trigger('private-encrypted-cache-a', 'x', { n: 1 });
    await first;
    const late = pusherClient(port).subscribe('private-encrypted-cache-a');
    expect(await eventOf(late, 'x')).toEqual({ n: 1 });
  });

  it('sign-in, an event to the user, the watchlist, termination', async () => {
    const { port } = await startHub();
    const server = pusherServer(port);
    const ada = await connected(pusherClient(port, { id: 'ada', watchlist: ['bob'] }));
    const offline = eventOf(ada.user.watchlist, 'offline');
    ada.signin();
    expect(await offline).toEqual({ name: 'offline', user_ids: ['bob'] });

    const online = eventOf(ada.user.watchlist, 'online');
    const bob = await connected(pusherClient(port, { id: 'bob' }));
    bob.signin();
    expect(await online).toEqual({ name: 'online', user_ids: ['bob'] });
    await bob.user.signinDonePromise;
    await subscribed(bob, 'after-the-own-channel');

    const heard = eventOf(bob.user, 'hello');
    await server.sendToUser('bob', 'hello', { n: 1 });
    expect(await heard).toEqual({ n: 1 });

    const gone = eventOf(bob.connection, 'disconnected');
    const bobOffline = eventOf(ada.user.watchlist, 'offline');
    expect((await server.terminateUserConnections('bob')).status).toBe(200);
    await gone;
    expect(await bobOffline).toEqual({ name: 'offline', user_ids: ['bob'] });
    expect(ada.connection.state).toBe('connected');
  });

  it('a signed-in user needs no channel_data on presence channels', async () => {
    const { port } = await startHub();
    const server = pusherServer(port);
    const client = pusherClient(
      port,
      { id: 'ada', user_info: { name: 'Ada' } },
      {
        channelAuthorization: {
          transport: 'ajax',
          endpoint: 'unused',
          customHandler: (
            { socketId, channelName }: { socketId: string; channelName: string },
            callback: (error: null, data: { auth: string }) => void,
          ) => callback(null, server.authorizeChannel(socketId, channelName)),
        },
      },
    );
    client.signin();
    const channel = (await subscribed(client, 'presence-a')) as PresenceChannel;
    expect(channel.members.me).toEqual({ id: 'ada', info: { name: 'Ada' } });
  });

  it('channel queries', async () => {
    const { port } = await startHub();
    const server = pusherServer(port);
    const client = pusherClient(port);
    await subscribed(client, 'presence-cache-a');
    await server.trigger('presence-cache-a', 'x', 'text');
    const get = async (path: string, params = {}) => (await server.get({ path, params })).json();
    expect(await get('/channels', { filter_by_prefix: 'presence-', info: 'user_count' })).toEqual({
      channels: { 'presence-cache-a': { user_count: 1 } },
    });
    expect(await get('/channels/presence-cache-a', { info: 'user_count,subscription_count,cache' })).toEqual({
      occupied: true,
      user_count: 1,
      subscription_count: 1,
      cache: { data: 'text', ttl: 1800 },
    });
  });

  it('a wrong secret, a missing app and too much data are errors with their status', async () => {
    const { port } = await startHub();
    await expect(pusherServer(port, { secret: 'wrong' }).trigger('a', 'x', 1)).rejects.toMatchObject({ status: 401 });
    await expect(pusherServer(port, { appId: '99' }).trigger('a', 'x', 1)).rejects.toMatchObject({ status: 404 });
    const tooMuch = pusherServer(port).trigger('a', 'x', 'x'.repeat(10_241));
    await expect(tooMuch).rejects.toMatchObject({ status: 413, body: expect.stringContaining('10240') });
  });

  it('webhooks that the library finds valid', async () => {
    const receiver = await WebhookReceiver.start();
    const { port } = await startHub({ webhooks: [{ url: receiver.url }] });
    await subscribed(pusherClient(port), 'room');
    const { headers, rawBody } = await receiver.inbox.next();
    const webhook = pusherServer(port).webhook({ headers, rawBody });
    expect(webhook.isValid()).toBe(true);
    expect(webhook.getEvents()).toEqual([{ name: 'channel_occupied', channel: 'room' }]);
    expect(Math.abs(webhook.getTime().getTime() - Date.now())).toBeLessThan(10_000);
    expect(pusherServer(port, { secret: 'wrong' }).webhook({ headers, rawBody }).isValid()).toBe(false);
  });

  it('a wrong key makes the client give up', async () => {
    const { port } = await startHub({ key: 'another' });
    const client = pusherClient(port);
    const failed = eventOf(client.connection, 'error');
    await eventOf(client.connection, 'disconnected');
    expect(await failed).toMatchObject({ error: { type: 'PusherError', data: { code: 4001 } } });
  });
});
