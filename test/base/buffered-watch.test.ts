import { expect, test } from 'vitest';
import { BufferedWatch, MANY_BUFFERED_OCTETS } from '../../base/buffered-watch.js';
import { ManualClock } from '../support/manual-clock.js';
import { QuietLog } from '../support/quiet-log.js';

const ofHandler = (handler: string, bufferedOctets: number) => ({
  handler,
  open: 1,
  established: 1,
  receivedMessages: 0,
  sentMessages: 0,
  bufferedOctets,
  maxBufferedOctets: bufferedOctets,
});

test('connections that together hold more than 64 MiB are said once, with the handler that has the most', async () => {
  const clock = new ManualClock();
  const log = new QuietLog();
  let octets = MANY_BUFFERED_OCTETS - 10;
  const connections = { traffic: () => [ofHandler('unit', 10), ofHandler('connector', octets)] };
  const watch = new BufferedWatch({ connections, clock, log });
  watch.start();
  await clock.advance(5_000);
  expect(log.lines).toEqual([]);
  octets += 1;
  await clock.advance(5_000);
  expect(log.lines).toMatchObject([
    { level: 'warn', fields: { octets: MANY_BUFFERED_OCTETS + 1, bound: 64 * 1024 * 1024, handler: 'connector' } },
  ]);
  await clock.advance(60_000);
  expect(log.lines.length).toBe(1);
  // Well again, then not: that is news.
  octets = 0;
  await clock.advance(5_000);
  octets = MANY_BUFFERED_OCTETS;
  await clock.advance(5_000);
  expect(log.lines.length).toBe(2);
  watch.stop();
  watch.stop();
  expect(clock.waiting).toBe(0);
});
