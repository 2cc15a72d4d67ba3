import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusals } from '../../../../base/dialects/yamqtt/refusals.js';
import { defaultYamqttLimits } from '../../../../base/dialects/yamqtt/yamqtt-limits.js';
import { GOODBYE_MS } from '../../../../base/links/link-session.js';
import { MESSAGE, message, shown, YamqttRig } from './yamqtt-rig.js';

/* What clients say and are sent, on real sockets (wire/yamqtt.md). */

let rig: YamqttRig;

beforeEach(async () => {
  rig = await YamqttRig.start();
});

afterEach(async () => {
  expect(rig.faults).toBe(0);
  await rig.stop();
});

// The actions.

test('what is published on a flow goes to whoever is subscribed to it, and to nobody else', async () => {
  const one = await rig.subscriber(7, 8);
  const two = await rig.subscriber(8);
  const other = await rig.subscriber(9);
  const publisher = await rig.client();
  publisher.send(message('p', 7, 'to one'), message('p', 8, 'to both'));
  await publisher.isRead();
  expect([await one.isRead(), await two.isRead(), await other.isRead()]).toEqual([
    ['m 7 to one', 'm 8 to both'],
    ['m 8 to both'],
    [],
  ]);
});

test('the publisher gets it too where it is subscribed itself', async () => {
  const client = await rig.subscriber(1);
  client.send(message('p', 1, 'to myself'));
  expect(await client.isRead()).toEqual(['m 1 to myself']);
});

test('who subscribes twice gets it once, and no more after one unsubscribe', async () => {
  const client = await rig.subscriber(1, 1);
  client.send(message('p', 1, 'once'), message('u', 1), message('p', 1, 'never'), message('u', 1));
  expect(await client.isRead()).toEqual(['m 1 once']);
  expect(rig.counts()).toMatchObject({ clients: 1, subscriptions: 0, refusals: 0, dropped: 0 });
});

test('what was published before somebody subscribes never comes; from then on everything does', async () => {
  const client = await rig.client();
  client.send(message('p', 1, 'before'), message('s', 1), message('p', 1, 'after'));
  expect(await client.isRead()).toEqual(['m 1 after']);
});

test('all 1024 octets of the data go through as they are', async () => {
  const data = Buffer.from(Array.from({ length: 1024 }, (_, at) => (at * 7 + (at >> 8)) & 0xff));
  const client = await rig.subscriber(65_534);
  client.send(message('p', 65_534, data, 0xa5));
  const got = await client.next();
  expect(got.subarray(2048).equals(data)).toBe(true);
});

test('rubbish behind what counts is ignored, and what the base sends behind it is 00', async () => {
  const client = await rig.client();
  client.send(
    message('s', '007', '.', 0xff),
    message('p', 7, 'hello', 0xa5),
    message('p', '0000000007', 'again', 0x39),
  );
  const expected = (text: string, fill: number): Buffer => {
    const whole = message('m', 7, text);
    message('m', 7, text, fill).copy(whole, 2048, 2048);
    return whole;
  };
  expect(await client.next()).toEqual(expected('hello', 0xa5));
  expect(await client.next()).toEqual(expected('again', 0x39));
  client.send(message('x', 1, '', 0xff));
  expect(await client.next()).toEqual(message('e', 0, 'unknown action'));
});

test('messages come through however TCP has cut and joined them', async () => {
  const subscriber = await rig.subscriber(5, 6);
  const publisher = await rig.client();
  const all = Buffer.concat([message('p', 5, 'a'), message('p', 5, 'b'), message('p', 6, 'c'), message('p', 5, 'd')]);
  for (let at = 0; at < all.length; at += 701) {
    publisher.send(all.subarray(at, at + 701));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const got = [await subscriber.next(), await subscriber.next(), await subscriber.next(), await subscriber.next()];
  expect(got).toEqual([message('m', 5, 'a'), message('m', 5, 'b'), message('m', 6, 'c'), message('m', 5, 'd')]);
});

test('e of a client is logged, cut and clean, and never answered', async () => {
  const client = await rig.client();
  client.send(message('e', 3, `bad\u001b${'x'.repeat(500)}`), message('e', 'no number', 'other'));
  expect(await client.isRead()).toEqual([]);
  const lines = rig.log.lines.filter(({ message: what }) => what === 'a client tells of an error; said once');
  expect(lines.map(({ fields }) => fields.reason)).toEqual([`bad·${'x'.repeat(116)}…`, 'other']);
  expect(rig.counts()).toMatchObject({ 'client-errors': 2, refusals: 0 });
});

test.each([
  ['an unknown action', message('x', 1), 'unknown action'],
  ['a capital', message('P', 1), 'unknown action'],
  ['no letter at all', Buffer.alloc(MESSAGE), 'unknown action'],
  ['m, which is the server to say', message('m', 1, 'hello'), 'm comes from the server only'],
  ['a subscription to no number', message('s', 'seven'), 'the flow is no number'],
  ['one to a negative number', message('s', '-1'), 'the flow is no number'],
  ['one without a number', message('s', ''), 'the flow is no number'],
  ['one to a number with a line end', message('s', '7\n'), 'the flow is no number'],
  ['one to eleven digits', message('s', '00000000007'), 'the flow is no number'],
  ['one to 65536', message('s', 65_536), 'the flow is not 1 to 65535'],
  ['one to 0', message('s', 0), 'flow 0 cannot be subscribed to'],
  ['a publication on no number', message('p', '7a'), 'the flow is no number'],
  ['one on 65536', message('p', 65_536), 'the flow is not 1 to 65535'],
  ['one on 0', message('p', 0), 'flow 0 cannot be published on'],
  ['an unsubscribe from no number', message('u', ' 7'), 'the flow is no number'],
  ['one from 99999', message('u', 99_999), 'the flow is not 1 to 65535'],
])('refuses %s with an e on flow 0, and carries on', async (_, refused, reason) => {
  const client = await rig.subscriber(1);
  client.send(message('p', 1, 'before'), refused, message('p', 1, 'after'));
  expect([await client.next(), await client.next(), await client.next()]).toEqual([
    message('m', 1, 'before'),
    message('e', 0, reason),
    message('m', 1, 'after'),
  ]);
  expect(rig.counts()).toMatchObject({ refusals: 1, publications: 3 });
});

test('reasons are short, and ASCII', () => {
  for (const reason of Object.values(refusals)) expect(reason).toMatch(/^[\x20-\x7e]{1,60}$/);
});

test('a flood of refused messages fills neither the log nor the memory, and is counted', async () => {
  const client = await rig.client();
  for (let run = 0; run < 20; run += 1) client.send(...Array.from({ length: 25 }, () => message('?', 1)));
  expect(new Set(await client.isRead())).toEqual(new Set(['e 0 unknown action']));
  expect(rig.counts().refusals).toBe(500);
  expect(rig.log.lines.filter(({ fields }) => fields.reason === 'unknown action')).toHaveLength(1);
});

// The end.

test('d ends the connection and its subscriptions; what was published before still reaches everybody', async () => {
  const other = await rig.subscriber(1);
  const client = await rig.subscriber(1);
  client.send(message('p', 1, 'last words'), message('d', 0, '.'), message('p', 1, 'too late'));
  expect(await client.rest()).toEqual(['m 1 last words']);
  expect(await other.isRead()).toEqual(['m 1 last words']);
  await rig.until('it has no subscription', () => rig.counts().subscriptions === 1);
  client.socket.end();
  await rig.until('it is gone', () => rig.counts().clients === 1);
});

test('nothing behind d is done, wherever TCP has cut it: no publication, and no subscription that would stay', async () => {
  const other = await rig.subscriber(1);
  const client = await rig.client();
  const goodbye = message('d', 0, '.');
  client.send(message('s', 3), goodbye.subarray(0, 1_500));
  await rig.until('it has begun', () => rig.counts().subscriptions === 2);
  const late = Buffer.concat([message('p', 1, 'too late'), message('s', 2), message('x', 1)]);
  client.send(goodbye.subarray(1_500), late, late.subarray(0, 100));
  expect(await client.rest()).toEqual([]);
  client.socket.end();
  await rig.until('it is gone', () => rig.counts().clients === 1);
  expect(await other.isRead()).toEqual([]);
  await rig.clock.advance(defaultYamqttLimits.messageMs);
  expect(rig.counts()).toMatchObject({ subscriptions: 1, refusals: 0, 'cut-unfinished': 0 });
});

test.each(['0', '7', 'rubbish', ''])('d with the flow %j ends it as well', async (flow) => {
  const client = await rig.client();
  client.send(message('d', flow));
  expect(await client.rest()).toEqual([]);
});

test("the original's publisher: lines, an empty one, d, and gone", async () => {
  const other = await rig.subscriber(1);
  const publisher = await rig.client();
  publisher.send(
    message('p', 1, 'one', 0x7f),
    message('p', 1, 'two', 0x7f),
    message('p', 1, '', 0x7f),
    message('d', 0, '.'),
  );
  publisher.socket.destroySoon();
  expect([await other.next(), await other.next(), await other.next()].map(shown)).toEqual([
    'm 1 one',
    'm 1 two',
    'm 1',
  ]);
  await rig.until('it is gone', () => rig.counts().clients === 1);
});

test('a client that sends no more gets what there is for it, and is closed', async () => {
  const client = await rig.subscriber(1);
  client.socket.end(Buffer.concat([message('p', 1, 'last'), message('p', 1, 'half').subarray(0, 1_500)]));
  expect(await client.rest()).toEqual(['m 1 last']);
  await client.closed;
  await rig.until('it is gone', () => rig.counts().clients === 0);
  expect([rig.counts().subscriptions, rig.clock.waiting]).toEqual([0, 1]);
  // Nobody waits for the other half.
  await rig.clock.advance(defaultYamqttLimits.messageMs);
  expect([rig.counts()['cut-unfinished'], rig.clock.waiting]).toEqual([0, 0]);
});

test('a client that does not close when it has said goodbye is cut after 2 s, and not before', async () => {
  const client = await rig.client();
  client.send(message('d', 0));
  await client.rest();
  await rig.clock.advance(GOODBYE_MS - 1);
  expect(rig.counts().clients).toBe(1);
  await rig.clock.advance(1);
  await rig.until('it is gone', () => rig.counts().clients === 0);
});

test('one that breaks off leaves nothing behind', async () => {
  const other = await rig.subscriber(1);
  const client = await rig.subscriber(1, 2, 3);
  client.socket.resetAndDestroy();
  await rig.until('it is gone', () => rig.counts().clients === 1);
  other.send(message('p', 1, 'still here'));
  expect([await other.isRead(), rig.counts().subscriptions]).toEqual([['m 1 still here'], 1]);
});

test('when the base stops, what was published before still reaches subscribers, and both are closed', async () => {
  const subscriber = await rig.subscriber(1);
  const publisher = await rig.client();
  await publisher.isRead();
  publisher.send(...Array.from({ length: 10 }, (_, number) => message('p', 1, `${number}`)));
  await rig.until('they are on their way', () => publisher.socket.writableLength === 0);
  const stopping = rig.host.stop();
  expect(await subscriber.rest()).toEqual(Array.from({ length: 10 }, (_, number) => `m 1 ${number}`));
  expect(await publisher.rest()).toEqual([]);
  for (const client of [subscriber, publisher]) client.socket.end();
  await stopping;
  expect(rig.clock.waiting).toBe(0);
});

test('a client that does not close keeps the base from stopping for 2 s, and no longer', async () => {
  const client = await rig.subscriber(1);
  let isStopped = false;
  const stopping = rig.host.stop().then(() => {
    isStopped = true;
  });
  await client.rest();
  await rig.clock.advance(GOODBYE_MS - 1);
  expect(isStopped).toBe(false);
  // Nor does a newcomer, which is closed at once.
  expect(await (await rig.client()).rest()).toEqual([]);
  await rig.clock.advance(1);
  await stopping;
  expect(rig.clock.waiting).toBe(0);
});
