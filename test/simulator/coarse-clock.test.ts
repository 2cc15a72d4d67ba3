import { describe, expect, it } from 'vitest';
import { COARSE_STEP_MS, CoarseClock } from '../../simulator/coarse-clock.js';
import { ManualClock } from '../support/manual-clock.js';

describe('a coarse clock', () => {
  it('is never early and at most one step late', async () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock);
    const called: [wanted: number, at: number][] = [];
    for (const delayMs of [0, 1, 24, 25, 26, 60, 1_000])
      coarse.after(delayMs, () => called.push([delayMs, clock.monotonic()]));
    await clock.advance(2_000);
    expect(called.map(([wanted]) => wanted)).toEqual([0, 1, 24, 25, 26, 60, 1_000]);
    for (const [wanted, at] of called) {
      expect(at).toBeGreaterThanOrEqual(wanted);
      expect(at).toBeLessThan(wanted + COARSE_STEP_MS);
    }
  });

  it('has one timer for all who wait, and none when the last is cancelled', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock);
    const timers = Array.from({ length: 1_000 }, (_, index) => coarse.after(index, () => {}));
    expect(clock.waiting).toBe(1);
    for (const timer of timers) timer.cancel();
    for (const timer of timers) timer.cancel();
    expect(clock.waiting).toBe(0);
  });

  it('does not call what another call of the same step cancels, and takes new waits from within', async () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock);
    const called: string[] = [];
    coarse.after(10, () => {
      called.push('first');
      second.cancel();
      coarse.after(10, () => called.push('third'));
    });
    const second = coarse.after(10, () => called.push('second'));
    await clock.advance(25);
    expect(called).toEqual(['first']);
    await clock.advance(25);
    expect(called).toEqual(['first', 'third']);
    expect(clock.waiting).toBe(0);
  });

  it('keeps what is due later when something is due sooner', async () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock);
    const called: number[] = [];
    coarse.after(500, () => called.push(500));
    coarse.after(100, () => called.push(100));
    await clock.advance(100);
    expect(called).toEqual([100]);
    await clock.advance(400);
    expect(called).toEqual([100, 500]);
  });
});
