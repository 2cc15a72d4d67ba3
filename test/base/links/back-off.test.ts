import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backOff, DIAL_BACK_OFF } from '../../../base/links/back-off.js';

const random = (fraction: () => number) => ({ octets: (count: number) => new Uint8Array(count), fraction });

test('each delay is drawn from 0 to 1, 2, 4 … 60 s, and never nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1, maxLength: 20 }),
      (draws) => {
        let at = 0;
        const delays = backOff(random(() => draws[at]!));
        for (at = 0; at < draws.length; at += 1) {
          const bound = Math.min(60_000, 1_000 * 2 ** at);
          const { value } = delays.next();
          expect(value).toBeCloseTo(Math.max(50, draws[at]! * bound));
          expect(value).toBeGreaterThanOrEqual(50);
          expect(value).toBeLessThanOrEqual(bound);
        }
      },
    ),
  );
});

test('the cap of the options is the bound', () => {
  const delays = backOff(
    random(() => 0.999_999_9),
    { firstMs: 1_000, capMs: 15_000 },
  );
  const drawn = Array.from({ length: 8 }, () => Math.round(delays.next().value));
  expect(drawn).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
  expect(DIAL_BACK_OFF).toEqual({ firstMs: 1_000, capMs: 60_000 });
});
