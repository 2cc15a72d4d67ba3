import { beforeEach, expect, test } from 'vitest';
import { deferred } from '../../../base/core/deferred.js';
import { MAX_RECORD_KEY, MAX_RECORD_OCTETS, Records } from '../../../base/core/records.js';
import { MemoryStore } from '../../support/memory-store.js';

let store: MemoryStore;
let records: Records;

beforeEach(() => {
  store = new MemoryStore();
  records = new Records(store);
});

test('what one handler notes is there in its next run, the last of each key, and no other handler sees it', async () => {
  await records.put('tank', { key: 'a', value: 1 });
  await records.put('tank', { key: 'a', unit: 'unit-1', value: { n: 2 } });
  await records.put('tank', { key: 'b', value: 3 });
  await records.put('pump', { key: 'a', value: 4 });
  await records.erase('tank', 'b');
  const next = new Records(store);
  next.restore((await store.load()).records);
  expect(next.of('tank')).toEqual([{ handler: 'tank', key: 'a', unit: 'unit-1', value: { n: 2 } }]);
  expect(next.of('pump')).toEqual(records.of('pump'));
  expect(next.of('lamp')).toEqual([]);
});

test('what the disk does not take is as it was before', async () => {
  await records.put('tank', { key: 'a', value: 1 });
  store.isFailing = true;
  await expect(records.put('tank', { key: 'a', value: 2 })).rejects.toThrow('the disk is full');
  await expect(records.put('tank', { key: 'b', value: 2 })).rejects.toThrow('the disk is full');
  await expect(records.erase('tank', 'a')).rejects.toThrow('the disk is full');
  expect(records.of('tank').map(({ key, value }) => [key, value])).toEqual([['a', 1]]);
});

test('a record about a unit goes with it, and no other', async () => {
  await records.put('tank', { key: 'a', unit: 'unit-1', value: 1 });
  await records.put('tank', { key: 'unit-1', value: 2 });
  records.forget('unit-1');
  expect(records.of('tank').map(({ key }) => key)).toEqual(['unit-1']);
});

test('what is noted about a unit while it is erased from the disk is behind that', async () => {
  await records.put('tank', { key: 'a', unit: 'unit-1', value: 1 });
  records.forget('unit-1');
  const erased = deferred<void>();
  const erasing = records.erasing('unit-1', async () => {
    await erased.promise;
    await store.forget('unit-1');
  });
  const [again, dropped] = [
    records.put('tank', { key: 'a', unit: 'unit-1', value: 2 }),
    records.put('tank', { key: 'b', unit: 'unit-1', value: 3 }),
  ];
  await records.put('tank', { key: 'c', unit: 'unit-2', value: 4 });
  await records.erase('tank', 'b');
  erased.resolve();
  await Promise.all([erasing, again, dropped]);
  const { records: stored } = await store.load();
  expect(stored.map(({ key, value }) => [key, value]).sort()).toEqual([
    ['a', 2],
    ['c', 4],
  ]);
});

test('at its bounds it is kept, and past each of them refused', async () => {
  const octets = 'x'.repeat(MAX_RECORD_OCTETS - 2);
  await records.put('tank', { key: 'k'.repeat(MAX_RECORD_KEY), value: octets });
  await expect(records.put('tank', { key: 'a', value: `${octets}x` })).rejects.toThrow('octets');
  await expect(records.put('tank', { key: 'k'.repeat(MAX_RECORD_KEY + 1), value: 1 })).rejects.toThrow('characters');
  await expect(records.put('tank', { key: '', value: 1 })).rejects.toThrow('characters');
  await expect(records.put('tank', { key: 'a', value: undefined })).rejects.toThrow('JSON');
  await records.put('tank', { key: 'a', value: 1 }, 2);
  await expect(records.put('tank', { key: 'b', value: 1 }, 2)).rejects.toThrow('2 already');
  await records.put('tank', { key: 'a', value: 2 }, 2);
  expect(records.of('tank')).toHaveLength(2);
});
