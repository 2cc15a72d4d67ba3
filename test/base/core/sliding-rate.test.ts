import { expect, test } from 'vitest';
import { RATE_WINDOW_S, SlidingRate } from '../../../base/core/sliding-rate.js';

/** Messages at a constant rate, from a moment on, for so long. Gives the moment of the last. */
function count(rate: SlidingRate, perSecond: number, fromMs: number, forMs: number): number {
  const step = 1_000 / perSecond;
  let at = fromMs;
  for (let number = 1; number * step <= forMs; number += 1) {
    at = fromMs + number * step;
    rate.add(at);
  }
  return at;
}

test.each([100, 1_000, 250])('%i a second are measured right within 1 %%, at every moment of a second', (perSecond) => {
  const rate = new SlidingRate(3);
  let at = 3;
  for (let tenth = 0; tenth < 300; tenth += 1) {
    count(rate, perSecond, at, 100);
    at += 100;
    if (tenth < RATE_WINDOW_S * 10) continue;
    expect(Math.abs(rate.perSecond(at) - perSecond)).toBeLessThanOrEqual(perSecond / 100);
  }
});

test('less than one a second is no integer division: three in ten seconds are about 0.3', () => {
  const rate = new SlidingRate(0);
  for (const at of [12_000, 15_000, 18_000]) rate.add(at);
  expect(rate.perSecond(19_999)).toBeCloseTo(0.3, 2);
});

test('a young one is divided by its age, and by no less than a second', () => {
  const rate = new SlidingRate(500);
  expect(rate.perSecond(500)).toBe(0);
  rate.add(500, 5);
  expect(rate.perSecond(500)).toBe(5);
  expect(rate.perSecond(600)).toBe(5);
  expect(rate.perSecond(3_000)).toBe(2);
});

test('after a silence of ten seconds it is 0, and not before', () => {
  const rate = new SlidingRate(0);
  rate.add(10_000, 20);
  expect(rate.perSecond(19_999)).toBeCloseTo(2, 2);
  expect(rate.perSecond(20_000)).toBe(0);
});

test.each([15_000, 86_400_000, 10_000_000_000])('a jump of %i ms ahead leaves nothing of what was before', (jump) => {
  const rate = new SlidingRate(0);
  count(rate, 100, 0, 20_000);
  expect(rate.perSecond(20_000 + jump)).toBe(0);
  rate.add(20_000 + jump, 10);
  expect(rate.perSecond(20_999 + jump)).toBeCloseTo(1, 2);
});

test('a moment before the last one is taken for the last one: nothing is lost, and nothing is negative', () => {
  const rate = new SlidingRate(0);
  rate.add(30_000);
  rate.add(25_000);
  expect(rate.perSecond(30_000)).toBeCloseTo(2 / 9, 5);
  expect(rate.perSecond(1_000)).toBeGreaterThan(0);
});

test('so many at once are as many as one after the other', () => {
  const [single, together] = [new SlidingRate(0), new SlidingRate(0)];
  for (let number = 0; number < 40; number += 1) single.add(11_000);
  together.add(11_000, 40);
  expect(together.perSecond(12_000)).toBe(single.perSecond(12_000));
});
