import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HubWebhookOptions } from '../../../base/hub/app.js';
import { ManualClock } from '../../support/manual-clock.js';
import { publish } from './support/api-client.js';
import { APP, startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';
import { WebhookReceiver } from './support/webhook-receiver.js';

async function start(hook: Partial<HubWebhookOptions> = {}, app = {}) {
  const receiver = await WebhookReceiver.start();
  // The requests of a test carry the real time.
  const clock = new ManualClock(Date.now());
  const { port, hub } = await startHub({ webhooks: [{ url: receiver.url, ...hook }], ...app }, { clock });
  return { receiver, clock, port, hub, client: await RawClient.connect(port) };
}

describe('a webhook', () => {
  it('is signed, and JSON exactly as the library wants it', async () => {
    const { receiver, client, clock } = await start();
    await client.join('room');
    const { headers, rawBody, timeMs, events } = await receiver.inbox.next();
    expect(headers['content-type']).toBe('application/json');
    expect(headers['x-pusher-key']).toBe(APP.key);
    expect(headers['x-pusher-signature']).toBe(createHmac('sha256', APP.secret).update(rawBody).digest('hex'));
    expect(timeMs).toBe(clock.now());
    expect(events).toEqual([{ name: 'channel_occupied', channel: 'room' }]);
  });

  it('tells of a channel left after 3 s, and not of one that the client came back to', async () => {
    const { receiver, client, clock } = await start();
    const leave = async () => {
      client.send({ event: 'pusher:unsubscribe', data: { channel: 'room' } });
      await client.settled();
    };
    await client.join('room');
    expect((await receiver.nextEvent()).name).toBe('channel_occupied');
    await leave();
    await clock.advance(2_999);
    await client.join('room');
    await clock.advance(10_000);
    await leave();
    await clock.advance(3_000);
    expect(await receiver.nextEvent()).toEqual({ name: 'channel_vacated', channel: 'room' });
    await client.join('room');
    expect(await receiver.nextEvent()).toEqual({ name: 'channel_occupied', channel: 'room' });
    expect(receiver.inbox.waiting).toEqual([]);
  });

  it('tells of members likewise, each user once', async () => {
    const { receiver, client, clock, port } = await start({ events: ['member_added', 'member_removed'] });
    await client.joinAs('presence-a', 7);
    const again = await RawClient.connect(port);
    await again.joinAs('presence-a', 7);
    expect(await receiver.nextEvent()).toEqual({ name: 'member_added', channel: 'presence-a', user_id: '7' });
    await client.close();
    await again.close();
    await clock.advance(2_000);
    const back = await RawClient.connect(port);
    await back.joinAs('presence-a', 7);
    await clock.advance(10_000);
    await back.close();
    await clock.advance(3_000);
    expect(await receiver.nextEvent()).toEqual({ name: 'member_removed', channel: 'presence-a', user_id: '7' });
    expect(receiver.inbox.waiting).toEqual([]);
  });

  it('tells of client events, with their data as text', async () => {
    const { receiver, client } = await start({ events: ['client_event'] });
    await client.join('private-a');
    await client.joinAs('presence-a', 7);
    const event = { name: 'client_event', event: 'client-x', socket_id: client.socketId };
    client.send({ event: 'client-x', channel: 'private-a', data: { a: 1 } });
    expect(await receiver.nextEvent()).toEqual({ ...event, channel: 'private-a', data: '{"a":1}' });
    client.send({ event: 'client-x', channel: 'private-a', data: 'text' });
    expect(await receiver.nextEvent()).toEqual({ ...event, channel: 'private-a', data: 'text' });
    client.send({ event: 'client-x', channel: 'presence-a' });
    expect(await receiver.nextEvent()).toEqual({ ...event, channel: 'presence-a', user_id: '7' });
  });

  it('tells of a cache that had nothing', async () => {
    const { receiver, client, port } = await start({ events: ['cache_miss'] });
    await client.join('cache-a');
    expect(await receiver.nextEvent()).toEqual({ name: 'cache_miss', channel: 'cache-a' });
    await publish(port, { name: 'x', channel: 'cache-a', data: '1' });
    await (await RawClient.connect(port)).join('cache-a');
    await client.next();
    await client.next();
    await client.join('cache-b');
    expect(await receiver.nextEvent()).toEqual({ name: 'cache_miss', channel: 'cache-b' });
  });

  it('tells subscription counts only when asked for', async () => {
    const asked = await start({ events: ['subscription_count'] });
    await asked.client.join('room');
    expect(await asked.receiver.nextEvent()).toEqual({
      name: 'subscription_count',
      channel: 'room',
      subscription_count: 1,
    });
    const byApp = await start({}, { subscriptionCount: true });
    await byApp.client.join('room');
    expect((await byApp.receiver.nextEvent()).name).toBe('channel_occupied');
    expect((await byApp.receiver.nextEvent()).name).toBe('subscription_count');
    const not = await start();
    await not.client.join('room');
    await not.client.join('cache-room');
    const names = [await not.receiver.nextEvent(), await not.receiver.nextEvent(), await not.receiver.nextEvent()];
    expect(names.map(({ name }) => name).sort()).toEqual(['cache_miss', 'channel_occupied', 'channel_occupied']);
  });

  it('says nothing about the channels of single users', async () => {
    const { receiver, client } = await start();
    client.signIn({ id: 'u' });
    await client.next();
    await client.join('#server-to-user-u');
    await client.join('room');
    expect(await receiver.nextEvent()).toEqual({ name: 'channel_occupied', channel: 'room' });
  });

  it('that is not answered with 2xx comes again, the same', async () => {
    const { receiver, client, clock } = await start();
    receiver.status = 500;
    await client.join('room');
    const first = await receiver.inbox.next();
    receiver.status = 200;
    // The answer is on its way: time passes until it is there and the retry is due.
    while (receiver.inbox.waiting.length === 0) await clock.advance(100);
    const second = await receiver.inbox.next();
    expect(second.rawBody).toBe(first.rawBody);
    expect(second.headers['x-pusher-signature']).toBe(first.headers['x-pusher-signature']);
  });

  it('may bring several events at once', async () => {
    const { receiver, client, clock } = await start({ batch: true });
    await client.joinAs('presence-a', 7);
    await client.join('room');
    await clock.advance(200);
    const { events } = await receiver.inbox.next();
    expect(events.map(({ name }) => name)).toEqual(['channel_occupied', 'member_added', 'channel_occupied']);
  });

  it('has its address kept out of the log', async () => {
    const receiver = await WebhookReceiver.start();
    const { port, hub, log } = await startHub({ webhooks: [{ url: receiver.url }] });
    receiver.status = 500;
    await (await RawClient.connect(port)).join('room');
    await receiver.inbox.next();
    await hub.stop();
    expect(log.lines.some(({ fields }) => 'webhook' in fields)).toBe(true);
    expect(JSON.stringify(log.lines)).not.toContain('s3cret');
  });
});
