import { describe, expect, it } from 'vitest';
import { longestWaitBefore, SCHEDULE_MS, waitBefore } from '../../../base/uplinks/outbox/retry-schedule.js';
import { fixedRandom } from './fixed-random.js';

const hours = (count: number): number => count * 3_600_000;
const numbers = SCHEDULE_MS.map((_, attempt) => attempt);

describe('the retry schedule', () => {
  it('is at once, 5 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, and then ends', () => {
    const expected = [0, 5_000, 60_000, 300_000, 1_800_000, ...[2, 5, 10, 14, 20, 24].map(hours)];
    expect(numbers.map((attempt) => waitBefore(SCHEDULE_MS, attempt, fixedRandom(0.5)))).toEqual(expected);
    expect(waitBefore(SCHEDULE_MS, SCHEDULE_MS.length, fixedRandom(0.5))).toBeUndefined();
  });

  it('varies each by 20 % at most, and knows the longest', () => {
    for (const attempt of numbers) {
      const waitMs = SCHEDULE_MS[attempt]!;
      expect(waitBefore(SCHEDULE_MS, attempt, fixedRandom(0))).toBe(Math.round(waitMs * 0.8));
      expect(waitBefore(SCHEDULE_MS, attempt, fixedRandom(0.999_999))!).toBeLessThanOrEqual(waitMs * 1.2);
      expect(longestWaitBefore(SCHEDULE_MS, attempt)).toBe(waitMs * 1.2);
    }
  });

  it('has a longest wait also past its end', () => {
    expect(longestWaitBefore(SCHEDULE_MS, SCHEDULE_MS.length)).toBe(hours(24) * 1.2);
  });
});
