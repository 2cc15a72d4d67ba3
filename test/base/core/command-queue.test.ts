import { beforeEach, describe, expect, test } from 'vitest';
import { CommandQueue, MAX_WAITING } from '../../../base/core/command-queue.js';
import { type Deferred, deferred } from '../../../base/core/deferred.js';
import type { Delivery, DeliveryResult } from '../../../base/core/delivery.js';
import { ManualClock } from '../../support/manual-clock.js';

let clock: ManualClock;
let begun: { readonly delivery: Delivery; readonly end: Deferred<DeliveryResult> }[];
let queue: CommandQueue;

beforeEach(() => {
  clock = new ManualClock();
  begun = [];
  queue = new CommandQueue(clock, (delivery) => {
    const end = deferred<DeliveryResult>();
    begun.push({ delivery, end });
    return end.promise;
  });
});

const delivery = (wireId: number, waitMs = 30_000): Delivery => ({
  wireId,
  command: 'setColor',
  fields: {},
  timeoutMs: 5_000,
  deadline: clock.monotonic() + waitMs,
  isPatient: false,
});

test('one at a time, in the order of acceptance', async () => {
  const results = [1, 2, 3].map((id) => queue.push(delivery(id)));
  await clock.advance(0);
  for (const id of [1, 2, 3]) {
    expect(begun.map((each) => each.delivery.wireId).at(-1)).toBe(id);
    expect(begun).toHaveLength(id);
    begun.at(-1)!.end.resolve({ outcome: 'ok', reply: { id } });
    await clock.advance(0);
  }
  expect(await Promise.all(results)).toEqual([1, 2, 3].map((id) => ({ outcome: 'ok', reply: { id } })));
  expect(clock.waiting).toBe(0);
});

test('a hundred may wait; the newest past that is refused', async () => {
  const results = Array.from({ length: MAX_WAITING + 1 }, (_, id) => queue.push(delivery(id + 1)));
  expect(queue.length).toBe(MAX_WAITING);
  expect(await queue.push(delivery(999))).toEqual({
    outcome: 'refused',
    reason: '100 commands wait for this unit already',
  });
  queue.stop();
  begun[0]!.end.resolve({ outcome: 'ok' });
  expect((await Promise.all(results)).map(({ outcome }) => outcome)).toEqual([
    'ok',
    ...Array.from({ length: MAX_WAITING }, () => 'unreachable'),
  ]);
});

test('one that waits past its deadline has expired and is never delivered', async () => {
  const first = queue.push(delivery(1));
  const second = queue.push(delivery(2, 1_000));
  const third = queue.push(delivery(3));
  await clock.advance(1_000);
  expect(await second).toMatchObject({ outcome: 'expired' });
  begun[0]!.end.resolve({ outcome: 'ok' });
  await clock.advance(0);
  begun[1]!.end.resolve({ outcome: 'ok' });
  await Promise.all([first, third]);
  expect(begun.map((each) => each.delivery.wireId)).toEqual([1, 3]);
  expect(clock.waiting).toBe(0);
});

test('a machine that comes to it late, before the timer does, does not deliver it either', async () => {
  expect(await queue.push({ ...delivery(1), deadline: clock.monotonic() })).toMatchObject({ outcome: 'expired' });
  expect(begun).toEqual([]);
});

describe('whatever a dialect does, each command has one outcome', () => {
  test('it throws', async () => {
    const throwing = new CommandQueue(clock, () => {
      throw new Error('no such thing');
    });
    expect(await throwing.push(delivery(1))).toEqual({
      outcome: 'unknown',
      reason: 'the dialect failed: no such thing',
    });
    expect(await throwing.push(delivery(2))).toMatchObject({ outcome: 'unknown' });
    expect(clock.waiting).toBe(0);
  });

  test('it never ends: unknown 30 s after its last allowed moment, and the next has its turn', async () => {
    const first = queue.push(delivery(1, 10_000));
    const second = queue.push(delivery(2, 120_000));
    await clock.advance(10_000 + 5_000 + 30_000 - 1);
    expect(begun).toHaveLength(1);
    await clock.advance(1);
    expect(await first).toEqual({ outcome: 'unknown', reason: 'the dialect did not say how it ended' });
    begun[0]!.end.resolve({ outcome: 'ok' });
    begun[1]!.end.resolve({ outcome: 'ok' });
    expect(await second).toEqual({ outcome: 'ok' });
    expect(clock.waiting).toBe(0);
  });
});

test('stop ends what waits as unreachable, takes no more, and leaves what is under way to the dialect', async () => {
  const first = queue.push(delivery(1));
  const second = queue.push(delivery(2));
  await clock.advance(0);
  queue.stop();
  expect(await second).toEqual({ outcome: 'unreachable', reason: 'the base is stopping' });
  expect(await queue.push(delivery(3))).toMatchObject({ outcome: 'unreachable' });
  begun[0]!.end.resolve({ outcome: 'unknown' });
  expect(await first).toEqual({ outcome: 'unknown' });
  expect(clock.waiting).toBe(0);
});
