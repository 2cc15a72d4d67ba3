import { beforeEach, describe, expect, test } from 'vitest';
import { MEASURED_EVERY_MS } from '../../base/base-status.js';
import { measureProcess, NodeEventLoop } from '../../base/system.js';
import { ManualClock } from '../support/manual-clock.js';
import { KnownFigures } from './api/known-figures.js';

let clock: ManualClock;
let known: KnownFigures;

beforeEach(() => {
  clock = new ManualClock();
  known = new KnownFigures(clock);
});

const status = () => known.status.status();

describe('the status of a base', () => {
  test('is asked of its parts each time', () => {
    expect(status()).toMatchObject({ state: 'started', connections: 0, commandsWaiting: 0, sseSubscribers: 0 });
    known.state = 'gracefully_stopped';
    known.waiting = { commands: 2, queries: 1 };
    known.sseSubscribers = 3;
    const connection = known.connections.opened({ unit: 'a', remoteAddress: 'x' }, 'unit');
    expect(status()).toMatchObject({
      state: 'gracefully_stopped',
      connections: 1,
      totals: { established: 1 },
      commandsWaiting: 2,
      queriesWaiting: 1,
      sseSubscribers: 3,
      handlers: known.handlers,
      ...known.measured,
    });
    connection.closed();
    expect(status()).toMatchObject({ connections: 0, totals: { established: 1 } });
  });

  test('has its age in whole seconds, by a clock that never jumps', async () => {
    const startedAt = clock.now();
    await clock.advance(1_999);
    expect(status()).toMatchObject({ startedAt, uptimeS: 1 });
    await clock.advance(1);
    expect(status()).toMatchObject({ startedAt, uptimeS: 2 });
  });

  test('was started when the clock says so that was set since', async () => {
    const startedAt = clock.now();
    await clock.advance(10_000);
    clock.setNow(startedAt + 10_999);
    expect(status()).toMatchObject({ startedAt, uptimeS: 10 });
    clock.setNow(startedAt + 86_410_000);
    expect(status()).toMatchObject({ startedAt: startedAt + 86_400_000, uptimeS: 10 });
    await clock.advance(1_000);
    expect(status()).toMatchObject({ startedAt: startedAt + 86_400_000, uptimeS: 11 });
  });

  test('counts what subscribers of topics and the storage of statistics throw', async () => {
    known.topics.subscribe('connections::established', () => {
      throw new Error('mine');
    });
    known.statistics.received = () => {
      throw new Error('disk full');
    };
    known.connections.opened({ unit: 'a', remoteAddress: 'x' }, 'unit').received();
    await clock.advance(0);
    expect(status()).toMatchObject({ subscriberFaults: 1, statisticsFaults: 1 });
  });
});

describe('what is measured', () => {
  test('is published every 5 s, and not even measured while nobody listens', async () => {
    const heard: unknown[] = [];
    known.status.start();
    known.status.start();
    await clock.advance(MEASURED_EVERY_MS);
    expect(known.measurements).toBe(0);
    const unsubscribe = [
      known.topics.subscribe('system_metrics::allocated_memory', (event) => void heard.push(event)),
      known.topics.subscribe('system_metrics::num_go_routines', (event) => void heard.push(event)),
    ];
    await clock.advance(MEASURED_EVERY_MS - 1);
    expect(heard).toEqual([]);
    await clock.advance(1);
    expect(heard).toEqual([{ value: 64.5, unit: 'Mb' }, { value: 12 }]);
    await clock.advance(MEASURED_EVERY_MS);
    expect(heard).toHaveLength(4);
    for (const each of unsubscribe) each();
    await clock.advance(MEASURED_EVERY_MS);
    expect(known.measurements).toBe(2);
    known.status.stop();
    known.status.stop();
    expect(clock.waiting).toBe(0);
  });

  test('is of this process', () => {
    const { activeHandles, memory } = measureProcess();
    expect(Number.isInteger(activeHandles)).toBe(true);
    expect(memory.heapAllocatedMiB).toBeGreaterThan(1);
    expect(memory.allocatedMiB).toBeGreaterThan(memory.heapAllocatedMiB / 2);
    expect(memory.systemMiB).toBeGreaterThan(memory.allocatedMiB);
  });
});

test('the delay of the event loop is what it was late since somebody asked', async () => {
  const loop = new NodeEventLoop();
  expect(loop.take()).toEqual({ meanS: 0, p99S: 0, maxS: 0 });
  loop.start();
  // It begins to measure with its first look at the loop, and so after each time it is asked.
  await turns(60);
  loop.take();
  await turns(60);
  const until = performance.now() + 150;
  while (performance.now() < until);
  await turns(60);
  loop.stop();
  loop.stop();
  const { meanS, p99S, maxS } = loop.take();
  expect(maxS).toBeGreaterThan(0.1);
  expect(p99S).toBeGreaterThan(0.1);
  expect(meanS).toBeGreaterThan(0);
  expect(meanS).toBeLessThan(maxS);
  expect(loop.take()).toEqual({ meanS: 0, p99S: 0, maxS: 0 });
});

/** Lets so many ms pass for the machine, whose own clock this is about. */
async function turns(ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
}
