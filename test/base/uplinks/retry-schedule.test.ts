import { describe, expect, it } from 'vitest';
import { retryDelays, SCHEDULE_MS } from '../../../base/uplinks/webhooks/retry-schedule.js';
import { fixedRandom } from './fixed-random.js';

const hours = (count: number): number => count * 3_600_000;

describe('the retry schedule', () => {
  it('is at once, 5 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, and then ends', () => {
    const expected = [0, 5_000, 60_000, 300_000, 1_800_000, ...[2, 5, 10, 14, 20, 24].map(hours)];
    expect([...retryDelays(fixedRandom(0.5))]).toEqual(expected);
  });

  it('varies each by 20 % at most', () => {
    expect([...retryDelays(fixedRandom(0))]).toEqual(SCHEDULE_MS.map((waitMs) => Math.round(waitMs * 0.8)));
    for (const [index, waitMs] of [...retryDelays(fixedRandom(0.999_999))].entries())
      expect(waitMs / Math.max(1, SCHEDULE_MS[index]!)).toBeLessThanOrEqual(1.2);
  });

  it('goes on where an item was left', () => {
    expect(retryDelays(fixedRandom(), 3).next().value).toBe(300_000);
    expect([...retryDelays(fixedRandom(), SCHEDULE_MS.length)]).toEqual([]);
  });
});
