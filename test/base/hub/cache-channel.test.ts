import { describe, expect, it } from 'vitest';
import { EventCache } from '../../../base/hub/event-cache.js';
import { ManualClock } from '../../support/manual-clock.js';
import { callApi, publish } from './support/api-client.js';
import { startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';

const MINUTE = 60_000;

describe('a cache channel', () => {
  it.each([
    ['cache-a', undefined],
    ['private-cache-a', undefined],
    ['private-encrypted-cache-a', undefined],
    ['presence-cache-a', '{"user_id":"1"}'],
  ])('%s gives a newcomer the last event, right after its subscription', async (channel, channelData) => {
    const { port } = await startHub();
    const [early, late] = [await RawClient.connect(port), await RawClient.connect(port)];
    await early.join(channel, channelData);
    expect(await early.next()).toEqual({ event: 'pusher:cache_miss', channel });
    await publish(port, { name: 'old', channel, data: '1' });
    await publish(port, { name: 'new', channel, data: '{"a":2}' });
    await late.join(channel, channelData);
    expect(await late.next()).toEqual({ event: 'new', channel, data: '{"a":2}' });
  });

  it('does not remember client events', async () => {
    const { port } = await startHub();
    const [early, late] = [await RawClient.connect(port), await RawClient.connect(port)];
    await early.join('private-cache-a');
    await early.next();
    early.send({ event: 'client-x', channel: 'private-cache-a', data: 1 });
    await early.settled();
    await late.join('private-cache-a');
    expect((await late.next()).event).toBe('pusher:cache_miss');
  });

  it('remembers for 30 minutes, published to nobody or not, and says how long it still will', async () => {
    const clock = new ManualClock(Date.now());
    const { port } = await startHub({}, { clock });
    await publish(port, { name: 'x', channel: 'cache-a', data: '1' });
    const describeCache = async () =>
      (await callApi(port, { path: '/channels/cache-a', params: { info: 'cache' } })).body;
    expect(await describeCache()).toEqual({ occupied: false, cache: { data: '1', ttl: 1800 } });
    await clock.advance(5 * MINUTE);
    expect((await describeCache()).cache.ttl).toBe(1500);
    await clock.advance(25 * MINUTE - 1);
    // The hub's clock is half an hour ahead by now, and would find the requests too old.
    clock.setNow(Date.now());
    expect((await describeCache()).cache).toEqual({ data: '1', ttl: 1 });
    await clock.advance(1);
    expect(await describeCache()).toEqual({ occupied: false, cache: null });
  });

  it('other channels remember nothing', async () => {
    const { port } = await startHub();
    await publish(port, { name: 'x', channel: 'a', data: '1' });
    const client = await RawClient.connect(port);
    await client.join('a');
    expect(await client.settled()).toEqual([]);
    const { body } = await callApi(port, { path: '/channels/a', params: { info: 'cache' } });
    expect(body).toEqual({ occupied: true, cache: null });
  });
});

describe('the cache', () => {
  it('forgets the oldest past its bound', () => {
    const cache = new EventCache(new ManualClock(), MINUTE, 2);
    for (const channel of ['a', 'b', 'a', 'c']) cache.put(channel, { event: 'x', data: channel });
    expect(cache.size).toBe(2);
    expect(cache.get('b')).toBeUndefined();
    expect(cache.get('a')?.data).toBe('a');
    expect(cache.get('c')?.data).toBe('c');
  });

  it('keeps nothing of what is over', async () => {
    const clock = new ManualClock();
    const cache = new EventCache(clock, MINUTE, 10);
    cache.put('a', { event: 'x', data: '1' });
    await clock.advance(MINUTE);
    cache.put('b', { event: 'x', data: '1' });
    expect(cache.size).toBe(1);
  });
});
