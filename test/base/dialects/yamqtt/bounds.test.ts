import { afterEach, expect, test } from 'vitest';
import type { YamqttLimits } from '../../../../base/dialects/yamqtt/yamqtt-limits.js';
import { MESSAGE, message, type YamqttPeer, YamqttRig } from './yamqtt-rig.js';

/* What clients may take of the base: at each bound and one past it, on real sockets. */

let rig: YamqttRig;

const start = async (limits: Partial<YamqttLimits>): Promise<void> => {
  rig = await YamqttRig.start({ limits });
};

afterEach(async () => {
  expect(rig.faults).toBe(0);
  await rig.stop();
});

const gone = (client: YamqttPeer): Promise<void> => rig.until('it is gone', () => client.isEnded);

// Clients.

test('as many clients as there may be are served; one more is closed', async () => {
  await start({ clients: 3 });
  const clients = [await rig.subscriber(1), await rig.subscriber(1), await rig.subscriber(1)];
  await gone(await rig.client());
  clients[0]!.send(message('p', 1, 'here'));
  for (const client of clients) expect(await client.isRead()).toEqual(['m 1 here']);
  clients[0]!.socket.end();
  await rig.until('there is room', () => rig.counts().clients === 2);
  expect(await (await rig.subscriber(1)).isRead()).toEqual([]);
});

test('of silent clients of one address the oldest goes for one more; who published or subscribed stays', async () => {
  await start({ silentClientsPerAddress: 3 });
  const subscriber = await rig.subscriber(1);
  const publisher = await rig.client();
  publisher.send(message('p', 2));
  // Only wrong things: it is as silent as the others.
  const wrong = await rig.client();
  wrong.send(message('p', 0), message('x', 1), message('u', 1), message('e', 1));
  const silent = [await rig.client(), await rig.client()];
  await rig.until('they are all there', () => rig.counts().clients === 5 && rig.counts().refusals === 2);
  const neighbour = await rig.client('127.0.0.2');
  expect([wrong, ...silent].map(({ isEnded }) => isEnded)).toEqual([false, false, false]);
  await rig.client();
  await gone(wrong);
  await rig.client();
  await gone(silent[0]!);
  expect([neighbour, silent[1]!].map(({ isEnded }) => isEnded)).toEqual([false, false]);
  publisher.send(message('p', 1, 'all well'));
  expect([await subscriber.nextShown(), await publisher.isRead()]).toEqual(['m 1 all well', []]);
});

test('of all silent clients one of the address with the most goes for one more', async () => {
  await start({ silentClients: 3, silentClientsPerAddress: 3 });
  const [first, second] = [await rig.client(), await rig.client()];
  const other = await rig.client('127.0.0.2');
  await rig.until('they are all there', () => rig.counts().clients === 3);
  const newcomer = await rig.client('127.0.0.3');
  await gone(first);
  expect([second, other, newcomer].map(({ isEnded }) => isEnded)).toEqual([false, false, false]);
});

test('a client that says nothing for a day stays, and is heard then', async () => {
  await start({});
  const client = await rig.client();
  await rig.until('it is there', () => rig.counts().clients === 1);
  await rig.clock.advance(24 * 3_600_000);
  client.send(message('s', 1), message('p', 1, 'good morning'));
  expect(await client.nextShown()).toBe('m 1 good morning');
});

// Subscriptions.

test('a client may have so many subscriptions, and is refused one more', async () => {
  await start({ subscriptionsPerClient: 3 });
  const client = await rig.client();
  client.send(
    message('s', 1),
    message('s', 2),
    message('s', 3),
    message('s', 3),
    message('s', 4),
    message('p', 3, 'three'),
  );
  client.send(message('u', 1), message('s', 4), message('p', 4, 'four'));
  expect([await client.next(), await client.nextShown(), await client.nextShown()]).toEqual([
    message('e', 0, 'too many subscriptions of this client'),
    'm 3 three',
    'm 4 four',
  ]);
  expect(rig.counts()).toMatchObject({ subscriptions: 3, refusals: 1 });
});

test('all clients together may have so many, and one more is refused until another one goes', async () => {
  await start({ subscriptions: 3 });
  const one = await rig.client();
  one.send(message('s', 1), message('s', 2));
  await rig.until('it is subscribed', () => rig.counts().subscriptions === 2);
  const two = await rig.client();
  two.send(message('s', 1), message('s', 2));
  expect(await two.next()).toEqual(message('e', 0, 'too many subscriptions in the base'));
  one.send(message('u', 2));
  await rig.until('there is room', () => rig.counts().subscriptions === 2);
  two.send(message('s', 2), message('p', 2, 'two'));
  expect([await two.nextShown(), rig.counts().subscriptions]).toEqual(['m 2 two', 3]);
  one.socket.resetAndDestroy();
  await rig.until('its subscriptions go with it', () => rig.counts().subscriptions === 2);
});

// Time.

test('a message that has begun may take so long, and no longer', async () => {
  await start({ messageMs: 1_000 });
  const [inTime, late] = [await rig.client(), await rig.client()];
  const whole = message('p', 1, 'in time');
  inTime.send(message('s', 1), whole.subarray(0, 1));
  await rig.until('it has begun', () => rig.counts().subscriptions === 1);
  await rig.clock.advance(500);
  late.send(message('s', 2), whole.subarray(0, 2_000));
  await rig.until('the other as well', () => rig.counts().subscriptions === 2);
  await rig.clock.advance(499);
  inTime.send(whole.subarray(1), whole.subarray(0, 1));
  expect(await inTime.nextShown()).toBe('m 1 in time');
  // Its second message began at 999 ms.
  await rig.clock.advance(500);
  expect([inTime, late].map(({ isEnded }) => isEnded)).toEqual([false, false]);
  late.send(whole.subarray(2_000, 3_071));
  await rig.clock.advance(1);
  await gone(late);
  await rig.clock.advance(498);
  expect(inTime.isEnded).toBe(false);
  await rig.clock.advance(1);
  await gone(inTime);
  await rig.until('both are counted', () => rig.counts().clients === 0);
  expect([rig.counts()['cut-unfinished'], rig.clock.waiting]).toEqual([2, 0]);
});

test('one that came in two parts is whole: its client may be silent from then on', async () => {
  await start({ messageMs: 1_000 });
  const client = await rig.client();
  const whole = message('p', 1, 'whole');
  client.send(message('s', 1), whole.subarray(0, 2_000));
  await rig.until('it has begun', () => rig.counts().subscriptions === 1);
  client.send(whole.subarray(2_000));
  expect(await client.nextShown()).toBe('m 1 whole');
  await rig.clock.advance(1_000);
  expect([await client.isRead(), rig.counts()['cut-unfinished']]).toEqual([[], 0]);
});

// A client that is too slow.

const UNSENT = 40 * MESSAGE;

/** Publishes so many, of which nobody reads what goes beyond the buffers of the system. */
async function flood(publisher: YamqttPeer, from: number, count: number): Promise<void> {
  const step = 500;
  for (let number = from; number < from + count; number += step) {
    publisher.send(...Array.from({ length: step }, (_, at) => message('p', 1, String(number + at))));
    await publisher.isRead();
  }
}

test('a slow subscriber loses its oldest messages, is told how many where they are missing, and holds nobody up', async () => {
  await start({ unsentOctets: UNSENT });
  const [slow, quick] = [await rig.subscriber(1), await rig.subscriber(1)];
  const publisher = await rig.client();
  slow.socket.pause();
  let sent = 0;
  while (rig.counts().dropped === 0) {
    await flood(publisher, sent, 500);
    sent += 500;
  }
  await flood(publisher, sent, 500);
  sent += 500;
  const { dropped } = rig.counts();
  // Nobody else missed anything.
  expect(await quick.isRead()).toEqual(Array.from({ length: sent }, (_, number) => `m 1 ${number}`));
  slow.socket.resume();
  const got: string[] = [];
  while (got.at(-1) !== `m 1 ${sent - 1}`) got.push(await slow.nextShown());
  const gap = got.indexOf(`e 0 dropped ${dropped} messages`);
  expect(gap).toBeGreaterThan(0);
  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, at) => `m 1 ${from + at}`);
  expect(got).toEqual([...numbers(0, gap), got[gap], ...numbers(gap + dropped!, sent)]);
  // What waited was the newest, as much as may.
  const waited = sent - gap - dropped!;
  expect(waited).toBeGreaterThan(0);
  expect(waited * MESSAGE).toBeLessThanOrEqual(UNSENT);
  expect(rig.counts()).toMatchObject({ dropped, 'cut-stalled': 0 });
  // It is a counter, and did not go down: each publication went to one client, and those of the flood to two.
  expect(rig.counts().deliveries).toBe(rig.counts().publications! + sent);
});

test('one that takes nothing for so long is cut, and not before; the others go on', async () => {
  await start({ unsentOctets: UNSENT, stalledMs: 5_000 });
  const [stalled, quick] = [await rig.subscriber(1), await rig.subscriber(1)];
  const publisher = await rig.client();
  stalled.socket.pause();
  while (rig.counts().dropped === 0) {
    await flood(publisher, 0, 500);
    await quick.isRead();
  }
  await rig.clock.advance(4_999);
  expect(rig.counts()).toMatchObject({ clients: 3, 'cut-stalled': 0 });
  await rig.clock.advance(1);
  await rig.until('it is gone', () => rig.counts().clients === 2);
  expect(rig.counts()).toMatchObject({ subscriptions: 1, 'cut-stalled': 1 });
  publisher.send(message('p', 1, 'go on'));
  expect(await quick.isRead()).toEqual(['m 1 go on']);
});
