import { beforeEach, expect, test } from 'vitest';
import { CommandQueue, MAX_WAITING, MAX_WAITING_OCTETS, type QueuedCommand } from '../../../base/core/command-queue.js';
import { ManualClock } from '../../support/manual-clock.js';

let clock: ManualClock;
/** What became of each, in order: `begun 1`, `expired 2`, `stopped 3`. */
let story: string[];
let ends: Map<number, () => void>;
let queue: CommandQueue;

beforeEach(() => {
  clock = new ManualClock();
  story = [];
  ends = new Map();
  queue = new CommandQueue(clock);
});

const command = (id: number, waitMs = 30_000, octets = 100): QueuedCommand => ({
  octets,
  deadline: clock.monotonic() + waitMs,
  deliver: () => {
    story.push(`begun ${id}`);
    return new Promise((resolve) => ends.set(id, resolve));
  },
  expire: () => void story.push(`expired ${id}`),
  stop: () => void story.push(`stopped ${id}`),
  abandon: (reason) => void story.push(`abandoned ${id}: ${reason}`),
});

const end = async (id: number): Promise<void> => {
  ends.get(id)!();
  await clock.advance(0);
};

test('one at a time, in the order of acceptance', async () => {
  for (const id of [1, 2, 3]) queue.push(command(id));
  expect(story).toEqual(['begun 1']);
  expect(queue.length).toBe(3);
  await end(1);
  expect(story).toEqual(['begun 1', 'begun 2']);
  await end(2);
  await end(3);
  expect(story).toEqual(['begun 1', 'begun 2', 'begun 3']);
  expect(queue.length).toBe(0);
  expect(clock.waiting).toBe(0);
});

test('a hundred may wait beside the one under way; then there is no room', () => {
  for (let id = 0; id <= MAX_WAITING; id += 1) {
    expect(queue.fullness(100)).toBeUndefined();
    queue.push(command(id));
  }
  expect(queue.length).toBe(MAX_WAITING + 1);
  expect(queue.fullness(100)).toBe('100 commands wait for this unit already');
});

test('256 KiB may wait; one octet more has no room, until something has left', async () => {
  queue.push(command(0));
  queue.push(command(1, 30_000, MAX_WAITING_OCTETS - 1));
  expect(queue.fullness(1)).toBeUndefined();
  expect(queue.fullness(2)).toBe('commands of 256 KiB wait for this unit already');
  await end(0);
  expect(queue.fullness(2)).toBeUndefined();
});

test('one that waits past its deadline has expired and is never begun', async () => {
  queue.push(command(1));
  queue.push(command(2, 1_000));
  queue.push(command(3));
  await clock.advance(1_000);
  expect(story).toEqual(['begun 1', 'expired 2']);
  await end(1);
  await end(3);
  expect(story).toEqual(['begun 1', 'expired 2', 'begun 3']);
  expect(clock.waiting).toBe(0);
});

test('a machine that comes to it late, before the timer does, does not begin it either', () => {
  queue.push(command(1, 0));
  expect(story).toEqual(['expired 1']);
  expect(queue.length).toBe(0);
});

test('stop tells what waits, takes no more, and leaves what is under way to its end', async () => {
  queue.push(command(1));
  queue.push(command(2));
  queue.stop();
  queue.push(command(3));
  expect(story).toEqual(['begun 1', 'stopped 2', 'stopped 3']);
  await end(1);
  expect(story).toHaveLength(3);
  expect(clock.waiting).toBe(0);
});
