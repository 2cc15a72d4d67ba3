import { expect, test } from 'vitest';
import { Turns } from '../../simulator/turns.js';
import { settle } from '../support/manual-clock.js';

test('so many at a time, in the order of asking; who gives up leaves the row', async () => {
  const turns = new Turns(2);
  const { signal } = new AbortController();
  const leaving = new AbortController();
  const order: number[] = [];
  const take = async (number: number, aborting = signal): Promise<() => void> => {
    const end = await turns.take(aborting);
    order.push(number);
    return end;
  };
  const [first, second] = [take(1), take(2)];
  const third = take(3, leaving.signal);
  const fourth = take(4);
  await settle(1);
  expect(order).toEqual([1, 2]);
  leaving.abort(new Error('gone'));
  await expect(third).rejects.toThrow('gone');
  (await first)();
  await fourth;
  (await second)();
  (await fourth)();
  await Promise.all([take(5), take(6)]);
  expect(order).toEqual([1, 2, 4, 5, 6]);
  await expect(take(7, leaving.signal)).rejects.toThrow('gone');
});
