import { expect, test } from 'vitest';
import type { Outcome } from '../../../base/core/messages.js';
import { REMEMBERED_MS, REMEMBERED_PER_UNIT, RecentCommands } from '../../../base/core/recent-commands.js';

const outcome = { outcome: 'timeout' } as Outcome;

test('a new id is unknown; then it is under way, then it has its outcome', () => {
  const recent = new RecentCommands();
  expect(recent.find('a', 0)).toBeUndefined();
  recent.add('a', 7);
  expect(recent.find('a', 1)).toBe('under way');
  recent.ended('a', 7, outcome, 2);
  expect(recent.find('a', 3)).toBe(outcome);
});

test('a result is remembered for 10 min; what has none is remembered until it has one', () => {
  const recent = new RecentCommands();
  recent.add('waits', 1);
  recent.add('a', 2);
  recent.ended('a', 2, outcome, 1_000);
  expect(recent.find('a', 1_000 + REMEMBERED_MS - 1)).toBe(outcome);
  expect(recent.find('a', 1_000 + REMEMBERED_MS)).toBeUndefined();
  expect(recent.find('waits', 100 * REMEMBERED_MS)).toBe('under way');
});

test('256 results are remembered; one more makes the oldest new again, and tells its place', () => {
  const recent = new RecentCommands();
  recent.add('waits', 5_000);
  for (let index = 0; index < REMEMBERED_PER_UNIT; index += 1) recent.ended(`id ${index}`, index, outcome, 0);
  expect(recent.find('id 0', 1)).toBe(outcome);
  expect(recent.takeDropped()).toEqual([]);
  recent.ended('one more', 900, outcome, 1);
  expect(recent.find('id 0', 1)).toBeUndefined();
  expect(recent.find('id 1', 1)).toBe(outcome);
  expect(recent.find('waits', 1)).toBe('under way');
  expect(recent.takeDropped()).toEqual([0]);
  expect(recent.takeDropped()).toEqual([]);
});

test('one that was not accepted is new; an earlier one with its id moves nothing', () => {
  const recent = new RecentCommands();
  recent.add('a', 2);
  recent.remove('a', 1);
  expect(recent.find('a', 0)).toBe('under way');
  recent.remove('a', 2);
  expect(recent.find('a', 0)).toBeUndefined();
});
