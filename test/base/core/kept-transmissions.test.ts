import { beforeEach, expect, test } from 'vitest';
import { KeptTransmissions } from '../../../base/core/kept-transmissions.js';
import { ManualClock } from '../../support/manual-clock.js';
import { MemoryStore } from '../../support/memory-store.js';

let clock: ManualClock;
let store: MemoryStore;
let kept: KeptTransmissions;

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryStore();
  kept = new KeptTransmissions(store, clock);
});

const input = (unit: string, ...octets: number[]) => ({ unit, octets: Uint8Array.from(octets) });
const positionsOnDisk = async (): Promise<number[]> => (await store.load()).kept.map(({ position }) => position);

test('is kept in order, under positions that are there at once', async () => {
  const first = kept.keep([input('a', 1), input('', 2, 3)]);
  const second = kept.keep([input('a', 4)]);
  expect([first.positions, second.positions]).toEqual([[1, 2], [3]]);
  await Promise.all([first.stored, second.stored]);
  const at = clock.now();
  expect((await store.load()).kept).toEqual([
    { position: 1, unit: 'a', octets: Uint8Array.of(1), at },
    { position: 2, unit: '', octets: Uint8Array.of(2, 3), at },
    { position: 3, unit: 'a', octets: Uint8Array.of(4), at },
  ]);
});

test('what an earlier run kept is given once, and its positions are not given again', async () => {
  await kept.keep([input('a', 1), input('b', 2)]).stored;
  const next = new KeptTransmissions(store, clock);
  const { kept: left } = await store.load();
  next.restore(left);
  expect(next.take()).toEqual(left);
  expect(next.take()).toEqual([]);
  expect(next.keep([input('a', 3)]).positions).toEqual([3]);
});

test('an erasure takes effect behind the keeping that was asked for before it', async () => {
  const { positions, stored } = kept.keep([input('a', 1), input('a', 2)]);
  await Promise.all([stored, kept.unkeep(positions.slice(0, 1))]);
  expect(store.committed.map(({ kind }) => kind)).toEqual(['keep', 'keep', 'unkeep']);
  expect(await positionsOnDisk()).toEqual([2]);
});

test('erasures that come while the disk works go together; nothing to erase is no commit', async () => {
  await kept.keep(Array.from({ length: 4 }, () => input('a', 1))).stored;
  let open!: () => void;
  store.gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = kept.unkeep([1]);
  await clock.advance(0);
  const rest = [kept.unkeep([2]), kept.unkeep([]), kept.unkeep([3])];
  open();
  await Promise.all([first, ...rest]);
  expect(store.of('unkeep').map(({ positions }) => positions)).toEqual([[1], [2, 3]]);
  expect(await positionsOnDisk()).toEqual([4]);
});

test('what the disk refuses to keep is not kept; what it refuses to erase is erased when it takes it', async () => {
  await kept.keep([input('a', 1)]).stored;
  store.isFailing = true;
  const refused = kept.keep([input('a', 2)]);
  await expect(refused.stored).rejects.toMatchObject({ family: 'store' });
  let isErased = false;
  const erased = kept.unkeep([1]).then(() => {
    isErased = true;
  });
  await clock.advance(5_000);
  expect(isErased).toBe(false);
  store.isFailing = false;
  await clock.advance(1_000);
  await erased;
  expect(await positionsOnDisk()).toEqual([]);
  expect(clock.waiting).toBe(0);
});

test('counts what is kept: on its way to the disk too, and until it is erased there', async () => {
  kept.restore([{ position: 1, unit: 'a', octets: Uint8Array.of(1), at: 0 }]);
  expect(kept.count).toBe(1);
  const { stored } = kept.keep([input('a', 1), input('', 2)]);
  expect(kept.count).toBe(3);
  await stored;
  const erased = kept.unkeep([1, 2, 2]);
  expect(kept.count).toBe(3);
  await erased;
  expect(kept.count).toBe(1);
  store.isFailing = true;
  await expect(kept.keep([input('a', 3)]).stored).rejects.toMatchObject({ family: 'store' });
  expect(kept.count).toBe(1);
});

test('stopped, it waits for a disk that refuses no longer; what is there still does not pass for erased', async () => {
  await kept.keep([input('a', 1)]).stored;
  store.isFailing = true;
  let isErased = false;
  for (const positions of [[1], [2]])
    void kept.unkeep(positions).then(() => {
      isErased = true;
    });
  await clock.advance(0);
  kept.stop();
  kept.stop();
  await kept.settled();
  expect(clock.waiting).toBe(0);
  expect(isErased).toBe(false);
  store.isFailing = false;
  expect(await positionsOnDisk()).toEqual([1]);
});
