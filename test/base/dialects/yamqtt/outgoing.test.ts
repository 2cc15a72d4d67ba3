import { beforeEach, expect, test } from 'vitest';
import { errorMessage } from '../../../../base/dialects/yamqtt/error-message.js';
import { FlowCounts } from '../../../../base/dialects/yamqtt/flow-counts.js';
import { Outgoing } from '../../../../base/dialects/yamqtt/outgoing.js';
import { SlowClients } from '../../../../base/dialects/yamqtt/slow-clients.js';
import { Turn } from '../../../../base/dialects/yamqtt/turn.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { SlowCarrier } from './slow-carrier.js';
import { MESSAGE, message, shown } from './yamqtt-rig.js';

/* When what is for one client is written, and what becomes of it when the client is slow. */

const UNSENT = 10 * MESSAGE;

let carrier: SlowCarrier;
let clock: ManualClock;
let counts: FlowCounts;
let slow: SlowClients;
let outgoing: Outgoing;
let ended: number;

beforeEach(() => {
  carrier = new SlowCarrier();
  clock = new ManualClock();
  counts = new FlowCounts();
  slow = new SlowClients({ unsentOctetsInAll: 1024 * MESSAGE });
  ended = 0;
  const limits = { unsentOctets: UNSENT };
  const end = (): void => {
    ended += 1;
  };
  outgoing = new Outgoing({ carrier, turn: new Turn(), slow, limits, counts, clock, ended: end });
});

const numbered = (from: number, to: number): Buffer[] =>
  Array.from({ length: to - from + 1 }, (_, at) => message('m', 1, String(from + at)));

function send(...messages: readonly Buffer[]): void {
  for (const each of messages) outgoing.send(each);
}

const texts = (from: number, to: number): string[] => numbered(from, to).map(shown);

/** The client takes nothing, and there are so many octets that it was written: 6 messages, the first ones. */
function stall(): void {
  carrier.isStalled = true;
  send(Buffer.concat(numbered(1, 6)));
  outgoing.flush();
  expect(carrier.take()).toEqual(texts(1, 6));
}

/** It has taken all that was written. */
function drain(isStalled = false): void {
  carrier.buffered = 0;
  carrier.isStalled = isStalled;
  outgoing.drained();
}

// When it is written.

test('what a turn brings goes out together at its end, in order', async () => {
  send(...numbered(1, 5));
  expect(carrier.sizes).toEqual([]);
  await settle();
  expect(carrier.sizes).toEqual([5]);
  expect(carrier.take()).toEqual(texts(1, 5));
  send(...numbered(6, 6));
  await settle();
  expect(carrier.take()).toEqual(texts(6, 6));
});

test('when 64 KiB have come it does not wait for the end of the turn', async () => {
  send(...numbered(1, 21));
  expect(carrier.sizes).toEqual([]);
  send(...numbered(22, 23));
  expect(carrier.sizes).toEqual([22]);
  await settle();
  expect(carrier.sizes).toEqual([22, 1]);
  expect(carrier.take()).toEqual(texts(1, 23));
});

test('one write has 32 messages at most, and only whole ones', async () => {
  send(Buffer.concat(numbered(1, 50)), ...numbered(51, 60));
  send(Buffer.concat(numbered(61, 140)));
  await settle();
  expect(carrier.sizes).toEqual([32, 18, 10 + 22, 32, 26]);
  expect(carrier.take()).toEqual(texts(1, 140));
});

test('a write that is taken is no reason to wait, however long it is', () => {
  // More than the high-water mark: the carrier says false, though it has taken all.
  send(Buffer.concat(numbered(1, 30)));
  send(Buffer.concat(numbered(31, 60)));
  expect(carrier.sizes).toEqual([30, 30]);
});

test('nor is one that is not taken, below the high-water mark: nobody would say when it is', () => {
  carrier.isStalled = true;
  for (const each of numbered(1, 8)) {
    send(each);
    outgoing.flush();
  }
  expect(carrier.sizes).toEqual([1, 1, 1, 1, 1, 1]);
});

// A client that is too slow.

test('at the bound of what it has not taken everything waits, and comes when there is room', () => {
  stall();
  send(...numbered(7, 10));
  expect([carrier.take(), counts.dropped]).toEqual([[], 0]);
  drain();
  expect(carrier.take()).toEqual(texts(7, 10));
});

test('one past it the oldest is dropped and counted, and the client is told where it is missing', () => {
  stall();
  send(...numbered(7, 11));
  expect(counts.dropped).toBe(1);
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 1 messages', ...texts(8, 11)]);
  send(...numbered(12, 12));
  outgoing.flush();
  expect(carrier.take()).toEqual(texts(12, 12));
});

test('the gap is where the messages are missing, each time anew', () => {
  carrier.highWater = 1;
  stall();
  send(Buffer.concat(numbered(7, 30)));
  drain(true);
  expect(carrier.take()).toEqual(['e 0 dropped 20 messages', ...texts(27, 30)]);
  // Five messages are not taken: there is room for five.
  send(...numbered(31, 35), Buffer.concat(numbered(36, 40)));
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 5 messages', ...texts(36, 40)]);
  expect(counts.dropped).toBe(25);
});

test('a run that is longer than the bound leaves its last messages', () => {
  stall();
  send(Buffer.concat(numbered(7, 1_000)));
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 990 messages', ...texts(997, 1_000)]);
});

test('refusals that were dropped are told of too', () => {
  stall();
  for (let number = 0; number < 10; number += 1) outgoing.send(errorMessage(`refusal ${number}`));
  expect(counts.dropped).toBe(6);
  drain();
  expect(carrier.take()).toEqual([
    'e 0 dropped 6 messages',
    'e 0 refusal 6',
    'e 0 refusal 7',
    'e 0 refusal 8',
    'e 0 refusal 9',
  ]);
});

test('it may drop all that waits, and says so', () => {
  carrier.highWater = 1;
  carrier.isStalled = true;
  send(Buffer.concat(numbered(1, 10)));
  outgoing.flush();
  carrier.take();
  send(...numbered(11, 13));
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 3 messages']);
});

test('what waits does not keep the chunk that it came in', () => {
  stall();
  const chunk = Buffer.from(new ArrayBuffer(64 * 1024));
  message('m', 1, 'short').copy(chunk, MESSAGE);
  send(chunk.subarray(MESSAGE, 2 * MESSAGE));
  chunk.fill(0);
  drain();
  expect(carrier.take()).toEqual(['m 1 short']);
});

test('nor does what waits in the carrier, but for the first write that it does not take', () => {
  carrier.isStalled = true;
  for (let number = 1; number <= 3; number += 1) {
    const chunk = Buffer.from(new ArrayBuffer(64 * 1024));
    message('m', 1, String(number)).copy(chunk, MESSAGE);
    send(chunk.subarray(MESSAGE, 2 * MESSAGE));
    outgoing.flush();
  }
  expect([carrier.keptOctets, carrier.take()]).toEqual([64 * 1024 + 2 * MESSAGE, texts(1, 3)]);
});

test('nor does what is left of a run when the client stops taking it', () => {
  carrier.isStalled = true;
  const run = Buffer.from(new ArrayBuffer(64 * MESSAGE));
  Buffer.concat(numbered(1, 35)).copy(run);
  send(run.subarray(0, 35 * MESSAGE));
  expect(carrier.take()).toEqual(texts(1, 32));
  run.fill(0);
  drain();
  expect(carrier.take()).toEqual(texts(33, 35));
});

test('who took a second for the last write gets two messages at a time, until it is fast again', async () => {
  stall();
  send(...numbered(7, 10));
  await clock.advance(1_000);
  carrier.highWater = 1;
  drain(true);
  expect(carrier.sizes).toEqual([2]);
  await clock.advance(999);
  drain();
  expect(carrier.sizes).toEqual([2, 2]);
  send(...numbered(11, 15));
  outgoing.flush();
  expect(carrier.sizes).toEqual([2, 2, 5]);
});

// Among all slow clients.

/** Others that are slow. */
function others(count: number): void {
  for (let at = 0; at < count; at += 1) slow.enter({ waiting: 0, dropTo: () => {} });
}

test('what waits for it is counted while it takes nothing, and not what it takes', () => {
  send(...numbered(1, 5));
  outgoing.flush();
  expect(slow.octets).toBe(0);
  carrier.take();
  stall();
  expect(slow.octets).toBe(0);
  send(...numbered(7, 9));
  expect(slow.octets).toBe(3 * MESSAGE);
  // One is dropped: its own bound is 10 messages, of which the carrier has 6.
  send(...numbered(10, 11));
  expect(slow.octets).toBe(4 * MESSAGE);
  drain();
  expect(slow.octets).toBe(0);
});

test('what is left of a run when it stops taking counts too, and goes with the client', () => {
  carrier.isStalled = true;
  send(Buffer.concat(numbered(1, 35)));
  expect(slow.octets).toBe(3 * MESSAGE);
  outgoing.close();
  outgoing.close();
  expect([slow.octets, counts.dropped]).toEqual([0, 3]);
  drain();
  expect(slow.octets).toBe(0);
});

test('what it drops for others is counted and told as ever, and the rest of a run does not keep all of it', () => {
  stall();
  const run = Buffer.concat(numbered(7, 10));
  send(run);
  outgoing.dropTo(2.5 * MESSAGE);
  expect([outgoing.waiting, counts.dropped]).toEqual([2 * MESSAGE, 2]);
  outgoing.dropTo(MESSAGE);
  expect([outgoing.waiting, counts.dropped]).toEqual([MESSAGE, 3]);
  run.fill(0);
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 3 messages', ...texts(10, 10)]);
});

test('it may drop all of it', () => {
  stall();
  send(...numbered(7, 8));
  outgoing.dropTo(0);
  expect([outgoing.waiting, counts.dropped]).toEqual([0, 2]);
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 2 messages']);
});

test.each([
  [256, [32, 3]],
  [257, [2, 2, 2]],
])('with %d slow clients a client that stops taking has been given so much', (count, sizes) => {
  others(count);
  const run = Buffer.from(new ArrayBuffer(64 * MESSAGE));
  Buffer.concat(numbered(1, 35)).copy(run);
  carrier.isStalled = true;
  send(run.subarray(0, 35 * MESSAGE));
  if (count === 256) {
    // It is one of the 257 itself; it takes the long write, and is slow no more.
    expect(carrier.sizes).toEqual([32]);
    drain();
    expect(carrier.sizes).toEqual(sizes);
    return;
  }
  expect(carrier.sizes).toEqual(sizes);
  // Less than the high-water mark and one write, and not the chunk that it came in.
  expect(carrier.keptOctets).toBe(6 * MESSAGE);
  drain();
  expect(carrier.take()).toEqual(texts(1, 35));
});

// The end.

test('at the end what waits goes out first, then our side is closed', () => {
  stall();
  send(...numbered(7, 11));
  outgoing.finish();
  outgoing.finish();
  expect([carrier.isEnded, ended]).toEqual([false, 0]);
  send(...numbered(12, 12));
  drain();
  expect(carrier.take()).toEqual(['e 0 dropped 1 messages', ...texts(8, 11)]);
  expect([carrier.isEnded, ended]).toEqual([true, 1]);
});

test('with nothing to write it is closed at once', () => {
  outgoing.finish();
  expect([carrier.isEnded, ended]).toEqual([true, 1]);
});

test('when the connection is no more, what waits counts as dropped, and nothing is written', async () => {
  send(...numbered(1, 3));
  outgoing.close();
  outgoing.close();
  await settle();
  send(...numbered(4, 4));
  outgoing.finish();
  drain();
  expect([carrier.take(), counts.dropped, carrier.isEnded, ended]).toEqual([[], 3, false, 0]);
});

test('an e is cut between two characters', () => {
  const octets = errorMessage(`${'x'.repeat(1_023)}é`);
  expect(octets.subarray(2_048, 2_048 + 1_023).toString()).toBe('x'.repeat(1_023));
  expect([octets.length, octets[MESSAGE - 1]]).toEqual([MESSAGE, 0]);
  expect(errorMessage('x'.repeat(1_025)).toString('latin1', 2_048)).toBe('x'.repeat(1_024));
});
