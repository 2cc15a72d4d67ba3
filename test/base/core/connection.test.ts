import { expect, test } from 'vitest';
import { Connection, type ConnectionEvents, type ConnectionInput } from '../../../base/core/connection.js';
import { ManualClock } from '../../support/manual-clock.js';

const NOW = Date.UTC(2026, 0, 1);

function connectionOf(input: Partial<ConnectionInput> = {}) {
  const clock = new ManualClock(NOW);
  const told: string[] = [];
  let uuids = 0;
  const events: ConnectionEvents = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    uuid: () => {
      uuids += 1;
      return `uuid ${uuids}`;
    },
    ordinal: () => 7,
    received: (_connection, count) => void told.push(`received ${count}`),
    sent: (_connection, count) => void told.push(`sent ${count}`),
    closed: () => void told.push('closed'),
  };
  const connection = new Connection({ unit: 'tank', remoteAddress: '10.0.0.9:4000', ...input }, 'meters', events);
  return { connection, clock, told };
}

test('a new one has what its handler knows, a UUID that stays, and no figures', () => {
  const { connection } = connectionOf();
  const record = {
    id: 'uuid 1',
    unit: 'tank',
    handler: 'meters',
    remoteAddress: '10.0.0.9:4000',
    createdAt: NOW,
    receivedMessages: 0,
    receivedPerSecond: 0,
    sentMessages: 0,
    sentPerSecond: 0,
    bufferedOctets: 0,
  };
  expect(connection.record()).toEqual(record);
  expect([connection.record(), connection.ordinal]).toEqual([record, 7]);
});

test('messages are counted, one or many at once, with the moment of the last and true figures a second', async () => {
  const { connection, clock, told } = connectionOf();
  for (let second = 0; second < 20; second += 1) {
    await clock.advance(1_000);
    connection.received(100);
    connection.sent();
  }
  expect(connection.record()).toMatchObject({ receivedMessages: 2_000, sentMessages: 20 });
  expect(connection.record().lastReceivedAt).toBe(NOW + 20_000);
  await clock.advance(999);
  const { receivedPerSecond, sentPerSecond } = connection.record();
  expect([receivedPerSecond, sentPerSecond]).toEqual([expect.closeTo(100, 1), expect.closeTo(1, 1)]);
  expect([told[0], told[1]]).toEqual(['received 100', 'sent 1']);
  await clock.advance(10_000);
  expect(connection.record()).toMatchObject({ receivedPerSecond: 0, sentPerSecond: 0 });
});

test('one message after a long silence is a tenth a second from its first moment on', async () => {
  const { connection, clock } = connectionOf();
  await clock.advance(60_999);
  connection.received();
  connection.sent(2);
  const { receivedPerSecond, sentPerSecond } = connection.record();
  expect([receivedPerSecond, sentPerSecond]).toEqual([expect.closeTo(0.1, 3), expect.closeTo(0.2, 3)]);
});

test('what is no count is not counted, and spoils nothing', () => {
  const { connection, told } = connectionOf();
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, '3' as never, null as never]) {
    connection.received(wrong);
    connection.sent(wrong);
  }
  expect(told).toEqual([]);
  expect(connection.record()).toMatchObject({ receivedMessages: 0, receivedPerSecond: 0, sentMessages: 0 });
  expect(connection.record()).not.toHaveProperty('lastReceivedAt');
});

test('closing twice is told once', () => {
  const { connection, told } = connectionOf();
  connection.closed();
  connection.closed();
  expect(told).toEqual(['closed']);
});

test('texts of peers are shown without control characters, cut at 120', () => {
  const long = 'x'.repeat(120);
  const { connection } = connectionOf({
    name: `a\r\nb\u0000\u2028`,
    type: `${long}y`,
    userAgent: long,
    remoteAddress: '1.2.3.4\n',
  });
  expect(connection.record()).toMatchObject({
    name: 'a··b··',
    type: `${long}…`,
    userAgent: long,
    remoteAddress: '1.2.3.4·',
  });
});

test('texts that are none are shown as one', () => {
  const { connection } = connectionOf({
    name: 5 as never,
    userAgent: ['a', 'b'] as never,
    remoteAddress: null as never,
  });
  expect(connection.record()).toMatchObject({ name: '5', userAgent: 'a,b', remoteAddress: 'null' });
});

test('where nothing has to be cleaned the input is the same object', () => {
  const input = { unit: 'tank', remoteAddress: '10.0.0.9:4000', name: 'Tank, süd' };
  const { connection } = connectionOf();
  expect(new Connection(input, 'x', { now: () => 0, ordinal: () => 0 } as never).input).toBe(input);
  expect(connection.input.unit).toBe('tank');
});

test('what waits unsent is asked when somebody looks; a source that throws or lies has nothing', () => {
  const source = { buffered: 3 };
  const { connection } = connectionOf({ source });
  source.buffered = 4_096;
  expect(connection.record().bufferedOctets).toBe(4_096);
  const wrong = (buffered: unknown) => connectionOf({ source: { buffered } as never }).connection.bufferedOctets;
  expect([wrong('12'), wrong(Number.NaN), wrong(undefined)]).toEqual([0, 0, 0]);
  const throwing = {
    get buffered(): never {
      throw new Error('gone');
    },
  };
  expect(connectionOf({ source: throwing }).connection.record().bufferedOctets).toBe(0);
});
