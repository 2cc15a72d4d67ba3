import { beforeEach, expect, test } from 'vitest';
import { Connection } from '../../../base/core/connection.js';
import { MemoryStatistics } from '../../../base/core/memory-statistics.js';
import { ManualClock } from '../../support/manual-clock.js';

let clock: ManualClock;
let statistics: MemoryStatistics;

beforeEach(() => {
  clock = new ManualClock();
  statistics = new MemoryStatistics(clock);
});

const open = (unit: string): Connection => {
  const connection = new Connection({ unit, remoteAddress: '10.0.0.9:1' }, 'test', {
    now: () => 0,
    monotonic: () => clock.monotonic(),
    uuid: () => '',
    ordinal: () => 0,
    received() {},
    sent() {},
    closed() {},
  });
  statistics.opened(connection);
  return connection;
};

test('finds the newest of a unit; the late end of an old one takes nothing from it', () => {
  const old = open('tank');
  const newer = open('tank');
  expect([statistics.of('tank'), statistics.size]).toEqual([newer, 2]);
  statistics.closed(old);
  statistics.closed(old);
  expect([statistics.of('tank'), [...statistics.all()]]).toEqual([newer, [newer]]);
  statistics.closed(newer);
  expect([statistics.of('tank'), statistics.size]).toEqual([undefined, 0]);
});

test('units reconnecting a thousand times in random order are there once each', () => {
  const all: Connection[] = [];
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let number = 0; number < 1_000; number += 1) {
    all.push(open(`unit-${random(5)}`));
    if (all.length > 5) statistics.closed(all.splice(random(all.length - 1), 1)[0]!);
  }
  const newest = new Map(all.map((connection) => [connection.unit, connection]));
  for (const [unit, connection] of newest) expect(statistics.of(unit)).toBe(connection);
  expect(statistics.size).toBe(5);
});

test('totals go on over connections that are closed, with true figures a second', async () => {
  for (let second = 0; second < 20; second += 1) {
    const connection = open('tank');
    await clock.advance(1_000);
    statistics.received(connection, 50);
    statistics.sent(connection, 1);
    statistics.closed(connection);
  }
  await clock.advance(999);
  const { receivedPerSecond, sentPerSecond, ...counted } = statistics.totals();
  expect(counted).toEqual({ established: 20, receivedMessages: 1_000, sentMessages: 20 });
  expect([receivedPerSecond, sentPerSecond]).toEqual([expect.closeTo(50, 1), expect.closeTo(1, 1)]);
});
