import { afterEach, describe, expect, it } from 'vitest';
import type { OutcomeEvent } from '../../../base/uplinks/pusher/channel-events.js';
import {
  ClientOutcomes,
  MAX_QUEUED as MAX_CLIENT_QUEUED,
  SPACING_MS,
} from '../../../base/uplinks/pusher/client-outcomes.js';
import {
  EventPublisher,
  MAX_ATTEMPTS,
  MAX_QUEUED,
  STOP_GRACE_MS,
} from '../../../base/uplinks/pusher/event-publisher.js';
import { fitEvent, MAX_ENCRYPTED_EVENT_OCTETS, MAX_EVENT_OCTETS } from '../../../base/uplinks/pusher/event-size.js';
import { createServerClient } from '../../../base/uplinks/pusher/pusher-server.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { fixedRandom } from './fixed-random.js';
import { HttpReceiver, type Respond, status } from './http-receiver.js';
import { soon } from './soon.js';

const channel = 'private-requests';
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const say =
  (code: number, body: string): Respond =>
  (_, response) =>
    void response.writeHead(code).end(body);

async function makePublisher(respond: Respond) {
  const receiver = await HttpReceiver.start({ respond });
  const clock = new ManualClock();
  const log = new QuietLog();
  const server = createServerClient({
    key: 'key',
    appId: 'app',
    secret: 'hush',
    host: '127.0.0.1',
    port: receiver.port,
    tls: false,
  })!;
  const rig = { socketId: '1.2' as string | undefined };
  const publisher = new EventPublisher({
    server,
    channel,
    socketId: () => rig.socketId,
    clock,
    random: fixedRandom(),
    log,
  });
  cleanUps.push(
    () => receiver.stop(),
    () => stop(),
  );
  const stop = async (): Promise<void> => {
    const stopping = publisher.stop();
    await clock.advance(STOP_GRACE_MS);
    await stopping;
  };
  const names = (): string[] => receiver.received.map(({ body }) => JSON.parse(body).name);
  return Object.assign(rig, { receiver, clock, log, publisher, stop, names });
}

describe('publishing through the HTTP API', () => {
  it('sends one event at a time in order, and not to ourselves', async () => {
    let inFlight = 0;
    let most = 0;
    const { publisher, receiver, names } = await makePublisher((_, response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        response.end('{}');
      });
    });
    for (const name of ['a', 'b', 'c', 'd']) publisher.publish(name, { n: name });
    await soon(() => expect(names()).toEqual(['a', 'b', 'c', 'd']));
    expect(most).toBe(1);
    expect(JSON.parse(receiver.received[0]!.body)).toEqual({
      name: 'a',
      data: '{"n":"a"}',
      channels: [channel],
      socket_id: '1.2',
    });
    await soon(() => expect(inFlight).toBe(0));
    await settle();
    publisher.publish('e', {});
    await soon(() => expect(names().at(-1)).toBe('e'));
  });

  it('tries again with the order kept when the server fails for a moment', async () => {
    const { publisher, receiver, names, clock } = await makePublisher(status(503));
    publisher.publish('a', {});
    publisher.publish('b', {});
    await soon(() => expect(names()).toEqual(['a']));
    receiver.respond = say(200, '{"ok":true}');
    await soon(async () => {
      await clock.advance(500);
      expect(names()).toEqual(['a', 'a', 'b']);
    });
  });

  it('gives an event up after 5 attempts and goes on, said once', async () => {
    const { publisher, receiver, names, clock, log } = await makePublisher(status(500));
    for (const name of ['a', 'b']) publisher.publish(name, {});
    await soon(async () => {
      await clock.advance(100);
      expect(receiver.received.length).toBe(2 * MAX_ATTEMPTS);
    });
    await soon(() => expect(publisher.dropped).toBe(2));
    expect(names()).toEqual([...Array(MAX_ATTEMPTS).fill('a'), ...Array(MAX_ATTEMPTS).fill('b')]);
    expect(log.lines.length).toBe(1);
  });

  it.each([
    ['soketi, with 200 and the error in the body', say(200, '{"ok":false,"error":"Unauthorized","code":401}')],
    ['Pusher, with 401', say(401, 'Invalid signature')],
  ])('does not repeat what is refused by %s, and never logs the signature', async (_, respond) => {
    const { publisher, names, log } = await makePublisher(respond);
    for (const name of ['a', 'b']) publisher.publish(name, {});
    await soon(() => expect(publisher.dropped).toBe(2));
    expect(names()).toEqual(['a', 'b']);
    expect(log.lines.length).toBe(1);
    expect(String(log.lines[0]!.fields.reason)).toContain('pusher.secret');
    expect(JSON.stringify(log.lines)).not.toMatch(/auth_|hush|127\.0\.0\.1/);
  });

  it('ends an answer that never ends', async () => {
    const { publisher, receiver, names, clock } = await makePublisher(
      (_, response) => void response.writeHead(200).write('{'),
    );
    publisher.publish('a', {});
    await soon(() => expect(names()).toEqual(['a']));
    receiver.respond = say(200, '{}');
    await soon(async () => {
      await clock.advance(5_000);
      expect(names()).toEqual(['a', 'a']);
    });
  });

  it('keeps 1,000 events, then drops the oldest, counted and said once', async () => {
    const { publisher, log } = await makePublisher(() => {});
    for (let index = 0; index < MAX_QUEUED + 1; index += 1) publisher.publish(String(index), {});
    expect(publisher.dropped).toBe(0);
    publisher.publish('past', {});
    publisher.publish('past', {});
    expect([publisher.dropped, log.lines.length]).toEqual([2, 1]);
  });

  it('drops what is too long, and stops without a timer left', async () => {
    const { publisher, clock, log, stop } = await makePublisher(() => {});
    publisher.publish('report', { text: 'x'.repeat(MAX_EVENT_OCTETS) });
    expect([publisher.dropped, log.lines.length]).toEqual([1, 1]);
    publisher.publish('a', {});
    await stop();
    await publisher.stop();
    publisher.publish('b', {});
    expect(clock.waiting).toBe(0);
  });

  it('stops: sends what waits, until something fails or its grace is over', async () => {
    const quick = await makePublisher((_, response) => void response.end('{}'));
    for (const name of ['a', 'b', 'c']) quick.publisher.publish(name, {});
    await quick.publisher.stop();
    expect(quick.names()).toEqual(['a', 'b', 'c']);
    const failing = await makePublisher(say(503, 'later'));
    for (const name of ['a', 'b', 'c']) failing.publisher.publish(name, {});
    await failing.publisher.stop();
    expect(failing.names()).toEqual(['a']);
  });
});

describe('the size of an event', () => {
  it('has a bound, a lower one on encrypted channels, where the ciphertext is longer', () => {
    const ofOctets = (octets: number): object => ({ a: 'x'.repeat(octets - '{"a":""}'.length) });
    expect(fitEvent(channel, ofOctets(MAX_EVENT_OCTETS))).toBeDefined();
    expect(fitEvent(channel, ofOctets(MAX_EVENT_OCTETS + 1))).toBeUndefined();
    expect(fitEvent('private-encrypted-x', ofOctets(MAX_ENCRYPTED_EVENT_OCTETS))).toBeDefined();
    expect(fitEvent('private-encrypted-x', ofOctets(MAX_ENCRYPTED_EVENT_OCTETS + 1))).toBeUndefined();
  });

  it('costs an outcome its reply before it costs the outcome', () => {
    const outcome = { id: 'c1', outcome: 'ok', reply: { text: 'x'.repeat(MAX_EVENT_OCTETS) } };
    expect(fitEvent(channel, outcome)).toEqual({ id: 'c1', outcome: 'ok', reason: expect.stringContaining('reply') });
  });

  it('costs it its payload, and what an object asks as well', () => {
    const payload = { format: 'utf8', value: 'x'.repeat(MAX_EVENT_OCTETS) };
    const reason = 'the payload is too long for the channel and was left out';
    expect(fitEvent(channel, { id: 'r', unit: 'board', payload })).toEqual({ id: 'r', unit: 'board', reason });
    expect(fitEvent(channel, { id: 'x'.repeat(MAX_EVENT_OCTETS), payload })).toBeUndefined();
  });
});

describe('outcomes as client events', () => {
  const outcome = (id: string): OutcomeEvent => ({ id, unit: 'lamp', command: 'setColor', outcome: 'ok', at: 1 });

  function makeClientOutcomes() {
    const clock = new ManualClock();
    const log = new QuietLog();
    const sent: string[] = [];
    const rig = { isConnected: true };
    const trigger = (name: string, data: object): boolean => {
      if (rig.isConnected) sent.push(`${name} ${(data as OutcomeEvent).id}`);
      return rig.isConnected;
    };
    const outcomes = new ClientOutcomes({ channel, trigger, clock, log });
    return Object.assign(rig, { clock, log, sent, outcomes });
  }

  it('keep to the pace that servers allow, in order', async () => {
    const { outcomes, sent, clock } = makeClientOutcomes();
    for (let index = 0; index < 30; index += 1) outcomes.answer(outcome(String(index)));
    expect(sent).toEqual(['client-outcome 0']);
    await clock.advance(1_000);
    expect(sent.length).toBeLessThanOrEqual(10);
    await clock.advance(29 * SPACING_MS);
    expect(sent).toEqual(Array.from({ length: 30 }, (_, index) => `client-outcome ${index}`));
    expect(clock.waiting).toBe(0);
  });

  it('wait for the connection', () => {
    const rig = makeClientOutcomes();
    rig.isConnected = false;
    rig.outcomes.answer(outcome('1'));
    expect(rig.sent).toEqual([]);
    rig.isConnected = true;
    rig.outcomes.flush();
    expect(rig.sent).toEqual(['client-outcome 1']);
  });

  it('end, said once, when the app does not allow them', () => {
    const rig = makeClientOutcomes();
    rig.outcomes.refused('client events are off');
    rig.outcomes.refused('client events are off');
    rig.outcomes.answer(outcome('1'));
    expect([rig.sent, rig.log.lines.length, rig.outcomes.isAllowed]).toEqual([[], 1, false]);
  });

  it('that wait are bounded', () => {
    const rig = makeClientOutcomes();
    rig.isConnected = false;
    for (let index = 0; index < MAX_CLIENT_QUEUED; index += 1) rig.outcomes.answer(outcome(String(index)));
    expect([rig.outcomes.queued, rig.log.lines.length]).toEqual([MAX_CLIENT_QUEUED, 0]);
    rig.outcomes.answer(outcome('past'));
    expect([rig.outcomes.queued, rig.log.lines.length]).toEqual([MAX_CLIENT_QUEUED, 1]);
    rig.isConnected = true;
    rig.outcomes.flush();
    expect(rig.sent).toEqual(['client-outcome 1']);
  });
});
