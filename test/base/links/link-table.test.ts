import { expect, test } from 'vitest';
import { LinkTable } from '../../../base/links/link-table.js';
import { settle } from '../../support/manual-clock.js';

const never = new AbortController().signal;

test('a claim is granted when the one before is let go, in the order of asking', async () => {
  const table = new LinkTable();
  const order: number[] = [];
  const claims = [1, 2, 3].map((who) =>
    table.claim('lamp', never).then((release) => {
      order.push(who);
      return release;
    }),
  );
  await settle();
  expect(order).toEqual([1]);
  const first = await claims[0]!;
  first();
  first();
  await settle();
  expect(order).toEqual([1, 2]);
  (await claims[1]!)();
  (await claims[2]!)();
  await settle();
  expect(order).toEqual([1, 2, 3]);
  expect(table.size).toBe(0);
});

test('units do not wait for one another', async () => {
  const table = new LinkTable();
  await table.claim('a', never);
  await table.claim('b', never);
  expect(table.size).toBe(2);
});

test('whoever gives up is passed over, and the order of the others stays', async () => {
  const table = new LinkTable();
  const first = await table.claim('lamp', never);
  const abort = new AbortController();
  const second = table.claim('lamp', abort.signal);
  let isGranted = false;
  const third = table.claim('lamp', never).then((release) => {
    isGranted = true;
    return release;
  });
  abort.abort(new Error('gave up'));
  await expect(second).rejects.toThrow('gave up');
  await settle();
  expect(isGranted).toBe(false);
  first();
  (await third)();
  await settle();
  expect(table.size).toBe(0);
});

test('a signal that has aborted gets nothing', async () => {
  const table = new LinkTable();
  await expect(table.claim('lamp', AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  expect(table.size).toBe(0);
});

test('ten thousand claims, a third of them given up, leave nothing behind', async () => {
  const table = new LinkTable();
  let held = 0;
  let most = 0;
  const all = Array.from({ length: 10_000 }, async (_, index) => {
    const abort = new AbortController();
    const claim = table.claim(`unit ${index % 7}`, abort.signal);
    if (index % 3 === 0 && index > 20) {
      abort.abort(new Error('gave up'));
      await expect(claim).rejects.toThrow('gave up');
      return;
    }
    const release = await claim;
    held += 1;
    most = Math.max(most, held);
    await Promise.resolve();
    held -= 1;
    release();
  });
  await Promise.all(all);
  await settle();
  expect(most).toBeLessThanOrEqual(7);
  expect(table.size).toBe(0);
});
