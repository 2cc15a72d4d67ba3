import { beforeEach, expect, test } from 'vitest';
import type { ConnectionRecord } from '../../../base/core/connection.js';
import type { ConnectionStatistics } from '../../../base/core/connection-statistics.js';
import { Connections } from '../../../base/core/connections.js';
import { MemoryStatistics } from '../../../base/core/memory-statistics.js';
import { Topics } from '../../../base/core/topics.js';
import { systemRandom } from '../../../base/system.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';

let clock: ManualClock;
let log: QuietLog;
let topics: Topics;

beforeEach(() => {
  clock = new ManualClock();
  log = new QuietLog();
  topics = new Topics(log);
});

const connectionsWith = (statistics: ConnectionStatistics = new MemoryStatistics(clock)): Connections =>
  new Connections({ statistics, topics, clock, random: systemRandom, log });

const input = (unit: string) => ({ unit, remoteAddress: '10.0.0.9:1' });

test('lists what is open, over all handlers; a unit with two connections is there once', () => {
  const connections = connectionsWith();
  connections.opened(input('tank'), 'meters');
  const newer = connections.opened(input('tank'), 'meters');
  connections.opened(input('porch'), 'iotsocket').received();
  expect(connections.list().map(({ unit, handler }) => `${handler}/${unit}`)).toEqual([
    'meters/tank',
    'meters/tank',
    'iotsocket/porch',
  ]);
  expect([connections.units(), connections.size]).toEqual([['tank', 'porch'], 3]);
  expect(connections.of('tank')).toMatchObject({ id: newer.id });
  expect(connections.totals()).toMatchObject({ established: 3, receivedMessages: 1, sentMessages: 0 });
});

test('the topics hear of what happens on connections, and the records are of that moment', async () => {
  const heard: (readonly [string, Partial<ConnectionRecord>])[] = [];
  for (const topic of ['established', 'message_received', 'message_sent', 'closed'] as const)
    topics.subscribe(`connections::${topic}`, ({ receivedMessages, sentMessages }) => {
      heard.push([topic, { receivedMessages, sentMessages }]);
    });
  const connections = connectionsWith();
  const connection = connections.opened(input('tank'), 'meters');
  connection.received(2);
  connection.sent();
  connection.closed();
  await settle();
  expect(new Set(heard)).toEqual(
    new Set([
      ['established', { receivedMessages: 0, sentMessages: 0 }],
      ['message_received', { receivedMessages: 2, sentMessages: 0 }],
      ['message_sent', { receivedMessages: 2, sentMessages: 1 }],
      ['closed', { receivedMessages: 2, sentMessages: 1 }],
    ]),
  );
});

test('when a handler has ended its connections are closed, and no others', async () => {
  const closed: string[] = [];
  topics.subscribe('connections::closed', ({ unit }) => void closed.push(unit));
  const connections = connectionsWith();
  for (const unit of ['a', 'b']) connections.opened(input(unit), 'meters');
  connections.opened(input('c'), 'iotsocket');
  connections.handlerEnded('meters');
  connections.handlerEnded('meters');
  await settle();
  expect([closed, connections.units()]).toEqual([['a', 'b'], ['c']]);
});

test('one that may not be listed counts for itself alone', () => {
  const connections = connectionsWith();
  const connection = connections.unlisted(input('hall'), 'meters');
  connection.received();
  connection.sent();
  connection.closed();
  expect([connection.receivedMessages, connections.list(), connections.totals()]).toMatchObject([
    1,
    [],
    { established: 0, receivedMessages: 0, sentMessages: 0 },
  ]);
});

/** A storage of a user's own in which everything fails. */
const broken = (thrown: unknown): ConnectionStatistics => {
  const fail = (): never => {
    throw thrown;
  };
  return {
    opened: fail,
    closed: fail,
    received: fail,
    sent: fail,
    of: fail,
    all: fail,
    totals: fail,
    get size(): number {
      return fail();
    },
  };
};

test.each([
  ['an error', new Error('disk full')],
  ['undefined', undefined],
  ['a text', 'no'],
])('a storage that throws %s in every method harms nobody', async (_, thrown) => {
  const heard: string[] = [];
  for (const topic of ['established', 'message_received', 'message_sent', 'closed'] as const)
    topics.subscribe(`connections::${topic}`, () => void heard.push(topic));
  const connections = connectionsWith(broken(thrown));
  const connection = connections.opened(input('tank'), 'meters');
  connection.received();
  connection.sent();
  expect(connection).toMatchObject({ receivedMessages: 1, sentMessages: 1 });
  expect([connections.list(), connections.units(), connections.size, connections.of('tank')]).toEqual([
    [],
    [],
    0,
    undefined,
  ]);
  expect(connections.totals()).toEqual({
    established: 0,
    receivedMessages: 0,
    receivedPerSecond: 0,
    sentMessages: 0,
    sentPerSecond: 0,
  });
  connections.handlerEnded('meters');
  connection.closed();
  await settle();
  expect(heard.sort()).toEqual(['closed', 'established', 'message_received', 'message_sent']);
  expect(connections.failures).toBe(10);
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
});

test('a storage without any methods harms nobody either', () => {
  const connections = connectionsWith({} as never);
  connections.opened(input('tank'), 'meters').closed();
  expect([connections.list(), connections.totals().established, connections.failures > 2]).toEqual([[], 0, true]);
});
