import { expect, test } from 'vitest';
import { REMEMBERED_MS, REMEMBERED_PER_UNIT, RecentCommands } from '../../../base/core/recent-commands.js';

test('a new id is new once; then it is under way, then it has its outcome', () => {
  const recent = new RecentCommands();
  expect(recent.seen('a', 0)).toBeUndefined();
  expect(recent.seen('a', 1)).toBe('under way');
  recent.ended('a', 'timeout');
  expect(recent.seen('a', 2)).toBe('timeout');
});

test('it is remembered for 10 min', () => {
  const recent = new RecentCommands();
  recent.seen('a', 0);
  expect(recent.seen('a', REMEMBERED_MS - 1)).toBe('under way');
  expect(recent.seen('a', REMEMBERED_MS)).toBeUndefined();
});

test('256 are remembered; one more makes the oldest new again', () => {
  const recent = new RecentCommands();
  for (let index = 0; index < REMEMBERED_PER_UNIT; index += 1) recent.seen(`id ${index}`, 0);
  expect(recent.seen('id 0', 1)).toBe('under way');
  expect(recent.seen('one more', 1)).toBeUndefined();
  expect(recent.seen('id 1', 1)).toBe('under way');
  expect(recent.seen('id 0', 1)).toBeUndefined();
});

test('the outcome of a forgotten id is nobody’s', () => {
  const recent = new RecentCommands();
  recent.ended('never seen', 'ok');
  expect(recent.seen('never seen', 0)).toBeUndefined();
});
