import { setImmediate as turnOver } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemoryConcentrator } from './memory-concentrator.js';
import type { MemoryStream } from './session-rig.js';

/* When what a turn of the event loop brings is written. */

let lastTracking = 0;
/** A request without content, with a number of its own. */
function request(): string {
  lastTracking += 1;
  return `30${lastTracking.toString(16).padStart(4, '0')}000000`;
}
/** What it is for the central: with a UID. */
const RELAYED_OCTETS = 22;

let concentrator: MemoryConcentrator;
let central: MemoryStream;
let objects: readonly MemoryStream[];

beforeEach(async () => {
  concentrator = new MemoryConcentrator(['a', 'b', 'c']);
  central = concentrator.open(concentrator.central);
  objects = concentrator.objects.map((peer) => concentrator.open(peer));
  await turnOver();
});

afterEach(() => concentrator.stop());

/** Each of these objects sends so many requests, all in one turn. */
function read(...counts: readonly number[]): void {
  for (const [index, count] of counts.entries()) objects[index]!.send(Array.from({ length: count }, request).join(''));
}

/** Requests in each write to the central. */
const written = (): number[] => central.writes.map((octets) => octets.length / 2 / RELAYED_OCTETS);

test('what one read brings is one write, and does not wait for the end of the turn', async () => {
  read(100);
  expect(written()).toEqual([100]);
  await turnOver();
  expect(written()).toEqual([100]);
});

test('what the same turn reads then goes out at its end, together', async () => {
  read(2, 3, 4);
  expect(written()).toEqual([2]);
  await turnOver();
  expect(written()).toEqual([2, 7]);
});

test('behind a turn with more than one read all of the next goes out together', async () => {
  read(1, 1);
  await turnOver();
  central.writes.length = 0;
  read(2, 2, 2);
  expect(written()).toEqual([]);
  await turnOver();
  expect(written()).toEqual([6]);
  central.writes.length = 0;
  read(1);
  expect(written()).toEqual([]);
  await turnOver();
  read(1);
  expect(written()).toEqual([1, 1]);
});
