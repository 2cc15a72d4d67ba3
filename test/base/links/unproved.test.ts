import { expect, test } from 'vitest';
import { MAX_UNPROVED, MAX_UNPROVED_PER_ADDRESS, Unproved } from '../../../base/links/unproved.js';

class Connection {
  isDestroyed = false;
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

/** So many of one address, the oldest first. */
function added(unproved: Unproved, address: string, count: number): Connection[] {
  return Array.from({ length: count }, () => {
    const connection = new Connection(address);
    unproved.add(connection);
    return connection;
  });
}

/** Which of them were destroyed. */
const destroyed = (connections: readonly Connection[]): number[] =>
  connections.flatMap(({ isDestroyed }, index) => (isDestroyed ? [index] : []));

test('the bounds of reference/limits.md are the ones it has by itself', () => {
  const unproved = new Unproved();
  const own = added(unproved, 'a', MAX_UNPROVED_PER_ADDRESS);
  expect([unproved.size, destroyed(own)]).toEqual([16, []]);
  added(unproved, 'a', 1);
  expect([unproved.size, destroyed(own)]).toEqual([16, [0]]);
  const others = Array.from({ length: MAX_UNPROVED - 16 }, (_, index) => added(unproved, `b${index}`, 1)[0]!);
  expect([unproved.size, destroyed(own), destroyed(others)]).toEqual([256, [0], []]);
  added(unproved, 'c', 1);
  expect([unproved.size, destroyed(own), destroyed(others)]).toEqual([256, [0, 1], []]);
});

test('past the bound of an address its oldest go, one for each newcomer, and nobody else', () => {
  const unproved = new Unproved({ inAll: 100, perAddress: 3 });
  const neighbours = added(unproved, 'b', 3);
  const own = added(unproved, 'a', 8);
  expect(destroyed(own)).toEqual([0, 1, 2, 3, 4]);
  expect(destroyed(neighbours)).toEqual([]);
  expect(unproved.size).toBe(6);
});

test('past the bound in all the oldest of the address with the most goes', () => {
  const unproved = new Unproved({ inAll: 6, perAddress: 4 });
  const few = added(unproved, 'a', 2);
  const many = added(unproved, 'b', 4);
  const newcomers = [...added(unproved, 'c', 1), ...added(unproved, 'd', 1)];
  expect([destroyed(few), destroyed(many), destroyed(newcomers)]).toEqual([[], [0, 1], []]);
  expect(unproved.size).toBe(6);
});

test('of addresses with equally many the one that came first gives way', () => {
  const unproved = new Unproved({ inAll: 3, perAddress: 4 });
  const [first, second, third] = ['a', 'b', 'c'].map((address) => added(unproved, address, 1)[0]!);
  added(unproved, 'd', 1);
  expect(destroyed([first!, second!, third!])).toEqual([0]);
  added(unproved, 'a', 1);
  expect(destroyed([first!, second!, third!])).toEqual([0, 1]);
});

test('at both bounds at once an address gives of its own', () => {
  const unproved = new Unproved({ inAll: 4, perAddress: 2 });
  const [a, b] = [added(unproved, 'a', 2), added(unproved, 'b', 2)];
  added(unproved, 'b', 1);
  expect([destroyed(a), destroyed(b)]).toEqual([[], [0]]);
});

test('of an address with connections in several steps the oldest of the step with the most goes', () => {
  const unproved = new Unproved({ inAll: 100, perAddress: 4 });
  const [first, second, third, fourth] = added(unproved, 'a', 4);
  unproved.move(first!, 2);
  const more = added(unproved, 'a', 20);
  expect(destroyed([first!, second!, third!, fourth!])).toEqual([1, 2, 3]);
  expect(destroyed(more)).toHaveLength(17);
  // Where both have as many, it is the earlier step; then the later one, and there the one that came to it first.
  const [a, b] = more.slice(-2);
  unproved.move(b!, 2);
  unproved.move(a!, 2);
  added(unproved, 'a', 1);
  expect(destroyed([first!, b!, a!])).toEqual([0]);
});

test('past the bound in all the oldest of the busiest address goes, in the step with the most', () => {
  const unproved = new Unproved({ inAll: 6, perAddress: 4 });
  const begun = added(unproved, 'a', 2);
  for (const connection of begun) unproved.move(connection, 1);
  const silent = [...added(unproved, 'b', 1), ...added(unproved, 'c', 3)];
  added(unproved, 'd', 2);
  expect([destroyed(begun), destroyed(silent)]).toEqual([[], [1, 2]]);
  // A crowd in the later step takes no places from newcomers either.
  const crowd = Array.from({ length: 10 }, (_, index) => {
    const [connection] = added(unproved, `e${index}`, 1);
    unproved.move(connection!, 1);
    return connection!;
  });
  expect(unproved.size).toBe(6);
  expect(destroyed(crowd).length).toBeGreaterThan(5);
  const [newcomer] = added(unproved, 'f', 1);
  added(unproved, 'g', 1);
  expect(newcomer!.isDestroyed).toBe(false);
});

test('one that is not there any more cannot be moved', () => {
  const unproved = new Unproved({ inAll: 2, perAddress: 2 });
  const [gone] = added(unproved, 'a', 1);
  unproved.delete(gone!);
  unproved.move(gone!, 1);
  expect(unproved.size).toBe(0);
});

test('who has proved himself, or is gone, makes room; saying so twice changes nothing', () => {
  const unproved = new Unproved({ inAll: 3, perAddress: 2 });
  const own = added(unproved, 'a', 2);
  unproved.delete(own[0]!);
  unproved.delete(own[0]!);
  expect(unproved.size).toBe(1);
  const more = added(unproved, 'a', 1);
  expect(destroyed([...own, ...more])).toEqual([]);
  for (const connection of [...own, ...more]) unproved.delete(connection);
  expect(unproved.size).toBe(0);
  unproved.delete(new Connection('nobody'));
  expect(unproved.size).toBe(0);
});

test('one that says that it is gone while it is destroyed is counted once', () => {
  const unproved = new Unproved({ inAll: 1, perAddress: 1 });
  const first = new Connection('a');
  first.destroy = () => {
    first.isDestroyed = true;
    unproved.delete(first);
  };
  unproved.add(first);
  added(unproved, 'a', 1);
  expect([unproved.size, first.isDestroyed]).toEqual([1, true]);
  added(unproved, 'b', 1);
  expect(unproved.size).toBe(1);
});

test('a newcomer is never refused, however many come from however many addresses, and nothing grows', () => {
  const unproved = new Unproved({ inAll: 256, perAddress: 16 });
  let refused = 0;
  for (let count = 0; count < 100_000; count += 1) refused += destroyed(added(unproved, `a${count}`, 1)).length;
  expect([refused, unproved.size]).toEqual([0, 256]);
});
