import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bool,
  bytes,
  type FieldType,
  f32,
  i8,
  i16,
  i32,
  list,
  oneOf,
  refusalOf,
  rgb,
  text,
  u8,
  u16,
  u32,
} from '../../protocol/definition/index.js';
import { SeededRandom } from '../../simulator/seeded-random.js';
import { firstValue, nextValue } from '../../simulator/wandering-value.js';

const types: readonly FieldType[] = [
  bool(),
  u8(),
  i8({ min: -20, max: 60 }),
  u16({ min: 5, max: 5 }),
  i16({ max: -3 }),
  u32(),
  i32(),
  i32({ max: -2_000_000_000 }),
  f32(),
  f32({ min: -40, max: 85, decimals: 1 }),
  f32({ min: 0, max: 0.001 }),
  rgb(),
  oneOf(['drip', 'normal']),
  text(3),
  bytes(4),
  list(f32({ min: 0, max: 50 }), 4),
  list(u8(), 1),
];

describe('a wandering value', () => {
  it('always stays what its field can be', () => {
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.string(), fc.nat(200), (type, seed, steps) => {
        const random = new SeededRandom(seed);
        let value = firstValue(type, random);
        for (let step = 0; step < steps; step += 1) value = nextValue(type, value, random);
        expect(refusalOf(type, value)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('moves by a hundredth of its range at most, and does move', () => {
    const type = f32({ min: 0, max: 100, decimals: 2 });
    const random = new SeededRandom('x');
    let value = firstValue(type, random) as number;
    const seen = new Set([value]);
    for (let step = 0; step < 100; step += 1) {
      const next = nextValue(type, value, random) as number;
      expect(Math.abs(next - value)).toBeLessThanOrEqual(1.01);
      value = next;
      seen.add(value);
    }
    expect(seen.size).toBeGreaterThan(50);
  });
});

describe('seeded random numbers', () => {
  it('are the same for a seed, others for another, and spread from 0 to 1', () => {
    const draw = (seed: string): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 1_000 }, () => random.fraction());
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
    const drawn = draw('a');
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    expect(Math.abs(drawn.reduce((sum, each) => sum + each, 0) / drawn.length - 0.5)).toBeLessThan(0.05);
    expect(new Set(new SeededRandom('a').octets(4_096)).size).toBe(256);
  });
});
