import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from '../end-to-end/support/house.js';
import { BaseProcess } from '../process/support/base-process.js';
import { FaultReceiver } from './support/fault-receiver.js';
import { startGauges } from './support/gauges.js';
import { endless } from './support/misbehaviour.js';
import { expectOnce, hooks, untilTold } from './support/told.js';

/** What a base holds anyway, and what the store reads and writes beside: far less than one endless answer. */
const MEMORY_MIB = 48;
const BESIDE_OCTETS = 64 * 1_024;
/** 64 KiB are looked at; what one read of the socket brings, and what the stream reads ahead, comes with it. */
const READ_OCTETS = 2 * 65_536;

test('of an answer that never ends little is read, its connection is let go, and its status counts; memory does not grow', {
  timeout: 60_000,
}, async () => {
  const gauges = await startGauges(4);
  let letGo = 0;
  const receiver = await FaultReceiver.start(
    endless(() => {
      letGo += 1;
    }),
  );
  const base = await BaseProcess.start({
    http: { listen: '127.0.0.1:0' },
    units: { known: gauges.known },
    webhooks: hooks(receiver),
  });
  await gauges.report(25);
  await untilTold(gauges, receiver);
  const before = { memoryMiB: base.memoryMiB, read: octetsRead(base), count: receiver.received.length };

  await gauges.report(50);
  await untilTold(gauges, receiver);
  await eventually('all to be let go', () => letGo === receiver.received.length);
  const count = receiver.received.length - before.count;
  console.info(
    `${count} endless answers: ${Math.round((octetsRead(base) - before.read) / count / 1_024)} KiB read for each, ` +
      `memory grew by ${Math.round(base.memoryMiB - before.memoryMiB)} MiB`,
  );
  expect(count).toBe(200);
  expect(base.memoryMiB - before.memoryMiB).toBeLessThan(MEMORY_MIB);
  expect((octetsRead(base) - before.read) / count).toBeLessThan(READ_OCTETS + BESIDE_OCTETS);
  const { endpoints } = await base.get<{ endpoints: object[] }>('/outbox');
  expect(endpoints).toMatchObject([{ state: 'working', waiting: 0, dead: 0, delivered: gauges.acknowledged.size }]);
  expectOnce(gauges, receiver);
  expect(await base.stop()).toMatchObject({ code: 0 });
});

/** All that the process ever read, of files and sockets. */
function octetsRead({ pid }: BaseProcess): number {
  return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}
