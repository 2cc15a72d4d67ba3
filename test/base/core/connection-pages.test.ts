import { beforeEach, expect, test } from 'vitest';
import type { Connection } from '../../../base/core/connection.js';
import { Connections } from '../../../base/core/connections.js';
import { MemoryStatistics } from '../../../base/core/memory-statistics.js';
import { Topics } from '../../../base/core/topics.js';
import { ManualClock } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';

let log: QuietLog;
let drawn: number;
let statistics: MemoryStatistics;
let connections: Connections;

beforeEach(() => {
  const clock = new ManualClock();
  log = new QuietLog();
  drawn = 0;
  const octets = (count: number): Uint8Array => {
    drawn += 1;
    return new Uint8Array(count).fill(drawn);
  };
  statistics = new MemoryStatistics(clock);
  const topics = new Topics(log);
  connections = new Connections({ statistics, topics, clock, random: { octets, fraction: () => 0.5 }, log });
});

const open = (unit: string, handler = 'connector'): Connection =>
  connections.opened({ unit, remoteAddress: '10.0.0.1:1' }, handler);
const units = (page: ReturnType<Connections['page']>): string[] => page.connections.map(({ unit }) => unit);

test('a page makes its own records only', () => {
  for (let index = 0; index < 10_000; index += 1) open(`u${index}`);
  const { next } = connections.page(3);
  expect(units(connections.page(3, next))).toEqual(['u3', 'u4', 'u5']);
  // A record has a UUID, which is drawn when it is made.
  expect(drawn).toBe(6);
});

test('pages have the order of opening, whatever order the storage has', () => {
  const all = statistics.all.bind(statistics);
  statistics.all = () => [...all()].reverse();
  for (const unit of ['c', 'a', 'b']) open(unit);
  const first = connections.page(2);
  expect(units(first)).toEqual(['c', 'a']);
  expect(units(connections.page(2, first.next))).toEqual(['b']);
  expect(connections.page(3).next).toBeUndefined();
});

test('the traffic of a handler stays when its connections are closed', () => {
  const [first, second] = [open('a'), open('b', 'my-own')];
  first.received();
  first.sent();
  second.sent();
  first.closed();
  const none = { bufferedOctets: 0, maxBufferedOctets: 0 };
  expect(connections.traffic()).toEqual([
    { handler: 'connector', open: 0, established: 1, receivedMessages: 1, sentMessages: 1, ...none },
    { handler: 'my-own', open: 1, established: 1, receivedMessages: 0, sentMessages: 1, ...none },
  ]);
});

test('a storage that fails takes nothing from the traffic, and is counted', () => {
  open('a').received();
  statistics.all = () => {
    throw new Error('gone');
  };
  expect(connections.page(1)).toEqual({ connections: [] });
  expect(connections.traffic()).toMatchObject([{ handler: 'connector', open: 1, receivedMessages: 1 }]);
  expect(connections.failures).toBe(2);
});
