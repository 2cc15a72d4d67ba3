import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../support/manual-clock.js';
import { startHub } from './support/hub-under-test.js';
import { RawClient } from './support/raw-client.js';

const ROOM = 'private-room';

async function pair(app = {}, options = {}): Promise<{ sender: RawClient; hearer: RawClient }> {
  const { port } = await startHub(app, options);
  const [sender, hearer] = [await RawClient.connect(port), await RawClient.connect(port)];
  await sender.join(ROOM);
  await hearer.join(ROOM);
  return { sender, hearer };
}

describe('a client event', () => {
  it.each([[{ a: [1, 'ü'] }], ['a text'], ['{"json":"text"}'], [7], [null], [false], [[1, 2]]])(
    'carries %j to the others as it is, and not to its sender',
    async (data) => {
      const { sender, hearer } = await pair();
      sender.send({ event: 'client-x', channel: ROOM, data });
      expect(await hearer.next()).toEqual({ event: 'client-x', channel: ROOM, data });
      expect(await sender.settled()).toEqual([]);
    },
  );

  it('may go without data', async () => {
    const { sender, hearer } = await pair();
    sender.send({ event: 'client-x', channel: ROOM });
    expect(await hearer.next()).toEqual({ event: 'client-x', channel: ROOM });
  });

  it('on a presence channel says which user it is from', async () => {
    const { port } = await startHub();
    const [sender, hearer] = [await RawClient.connect(port), await RawClient.connect(port)];
    await hearer.joinAs('presence-room', 'h');
    await sender.joinAs('presence-room', 42);
    await hearer.next();
    sender.send({ event: 'client-x', channel: 'presence-room', data: 1, user_id: 'somebody else' });
    expect(await hearer.next()).toEqual({ event: 'client-x', channel: 'presence-room', data: 1, user_id: '42' });
  });

  it('is relayed on an encrypted channel, which the libraries themselves refuse', async () => {
    const { sender, hearer } = await pair();
    await sender.join('private-encrypted-room');
    await hearer.join('private-encrypted-room');
    sender.send({ event: 'client-x', channel: 'private-encrypted-room', data: 1 });
    expect((await hearer.next()).event).toBe('client-x');
  });

  it.each([
    ['without the prefix', { event: 'x', channel: ROOM, data: 1 }, 'must begin with'],
    ['on a channel not subscribed to', { event: 'client-x', channel: 'private-other', data: 1 }, 'not subscribed'],
    ['on a public channel', { event: 'client-x', channel: 'public', data: 1 }, 'only private and presence'],
    ['with too long a name', { event: `client-${'x'.repeat(194)}`, channel: ROOM, data: 1 }, 'name is longer'],
    ['with too much data', { event: 'client-x', channel: ROOM, data: 'x'.repeat(10_241) }, 'data is longer'],
    ['with too much data in octets', { event: 'client-x', channel: ROOM, data: 'ü'.repeat(5_121) }, 'data is longer'],
    [
      'with too large an object',
      { event: 'client-x', channel: ROOM, data: { a: 'x'.repeat(10_233) } },
      'data is longer',
    ],
  ])('%s is refused with 4301 and goes nowhere', async (_, frame, message) => {
    const { sender, hearer } = await pair();
    await sender.join('public');
    await hearer.join('public');
    sender.send(frame);
    expect(await sender.next()).toEqual({
      event: 'pusher:error',
      channel: frame.channel,
      data: { code: 4301, message: expect.stringContaining(message) },
    });
    expect(await sender.settled()).toEqual([]);
    expect(await hearer.settled()).toEqual([]);
  });

  it('nested too deeply to be written again is refused, and the connection stays', async () => {
    const { sender } = await pair();
    sender.socket.send(`{"event":"client-x","channel":"${ROOM}","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
    expect((await sender.next()).data.code).toBe(4301);
    expect(await sender.settled()).toEqual([]);
  });

  it('at its bounds is relayed', async () => {
    const { sender, hearer } = await pair();
    sender.send({ event: `client-${'x'.repeat(193)}`, channel: ROOM, data: 'x'.repeat(10_240) });
    expect((await hearer.next()).event).toHaveLength(200);
    sender.send({ event: 'client-x', channel: ROOM, data: { a: 'x'.repeat(10_232) } });
    expect((await hearer.next()).data.a).toHaveLength(10_232);
  });

  it('without a channel is refused without one', async () => {
    const { sender } = await pair();
    sender.send({ event: 'client-x', data: 1 });
    expect(await sender.next()).toEqual({ event: 'pusher:error', data: { code: 4301, message: expect.any(String) } });
  });

  it('is refused by an app that does not allow them', async () => {
    const { sender, hearer } = await pair({ clientEvents: false });
    sender.send({ event: 'client-x', channel: ROOM, data: 1 });
    expect((await sender.next()).data).toEqual({ code: 4301, message: expect.stringContaining('not enabled') });
    expect(await hearer.settled()).toEqual([]);
  });
});

describe('the rate of client events', () => {
  it('is ten within any second, for each connection, refused ones not counted', async () => {
    const clock = new ManualClock();
    const { sender, hearer } = await pair({}, { clock });
    const send = (name: string) => sender.send({ event: `client-${name}`, channel: ROOM, data: 1 });
    const heard = async () => (await hearer.settled()).map(({ event }) => event.slice(7));

    for (let count = 0; count < 4; count += 1) send('a');
    await sender.settled();
    await clock.advance(600);
    for (let count = 0; count < 8; count += 1) send('b');
    const errors = await sender.settled();
    expect(errors.map(({ data }) => data.code)).toEqual([4301, 4301]);
    expect(errors[0]!.data.message).toContain('rate limit exceeded');
    expect(errors[0]!.channel).toBe(ROOM);
    expect(await heard()).toEqual(['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'b', 'b']);

    hearer.send({ event: 'client-own', channel: ROOM, data: 1 });
    expect((await sender.next()).event).toBe('client-own');

    await clock.advance(399);
    send('c');
    expect(await sender.settled()).toHaveLength(1);
    await clock.advance(1);
    for (let count = 0; count < 5; count += 1) send('d');
    expect(await sender.settled()).toHaveLength(1);
    expect(await heard()).toEqual(['d', 'd', 'd', 'd']);
  });
});
