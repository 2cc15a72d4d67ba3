import { expect, test } from 'vitest';
import { KeptMessages } from '../../../../base/dialects/yamqtt/kept-messages.js';

/* What waits for slow clients, and how much of what came with it stays in memory. */

const CHUNK = 64 * 1024;

test('what is half of its chunk or more stays where it lies; less of it is copied', () => {
  const kept = new KeptMessages();
  const chunk = Buffer.from(new ArrayBuffer(CHUNK));
  const [half, less] = [chunk.subarray(CHUNK / 2), chunk.subarray(CHUNK / 2 + 1)];
  expect(kept.of(half)).toBe(half);
  const copy = kept.of(less);
  expect([copy.equals(less), copy.buffer.byteLength]).toEqual([true, less.length]);
});

test('all slow subscribers of a flow share one copy, and the next messages have another', () => {
  const kept = new KeptMessages();
  const chunk = Buffer.from(new ArrayBuffer(CHUNK));
  chunk.fill(1, 0, 100).fill(2, 100, 200);
  const [one, two] = [chunk.subarray(0, 100), chunk.subarray(100, 200)];
  const copy = kept.of(one);
  expect(kept.of(one)).toBe(copy);
  expect(kept.of(two)).toEqual(Buffer.alloc(100, 2));
  expect(copy).toEqual(Buffer.alloc(100, 1));
});
