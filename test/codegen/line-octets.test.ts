import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineOctetsOf } from '../../codegen/line-octets.js';
import { bool, bytes, f32, i8, i32, list, oneOf, rgb, text, u8, u16, u32 } from '../../protocol/definition/index.js';
import { valueToLine } from '../../protocol/line/line-value.js';

test.each([
  [bool(), 'false'],
  [rgb(), '#ff8800'],
  [u8(), '255'],
  [u16({ max: 1_023 }), '1023'],
  [i8(), '-128'],
  [i32(), '-2147483648'],
  [u32(), '4294967295'],
  [oneOf(['drip', 'normal']), 'normal'],
  [text(20), 'x'.repeat(20)],
  [f32({ min: -40, max: 85, decimals: 1 }), '-40.0'],
  [f32({ min: 0, max: 9, decimals: 0 }), '9'],
  [f32({ decimals: 6 }), '-340282346638528859811704183484516925440.000000'],
])('the longest value of %j takes as much as %s', (type, longest) => {
  expect(lineOctetsOf(type)).toBe(longest.length);
});

test('no f32 of a range takes more, whatever it is rounded to', () => {
  const bounds = fc.tuple(
    fc.float({ noNaN: true, min: -1e9, max: 1e9 }),
    fc.float({ noNaN: true, min: -1e9, max: 1e9 }),
    fc.nat({ max: 6 }),
  );
  fc.assert(
    fc.property(bounds, fc.double({ min: 0, max: 1, noNaN: true }), ([a, b, decimals], between) => {
      const [min, max] = [Math.min(a, b), Math.max(a, b)];
      const type = f32({ min, max, decimals, default: min });
      const value = Math.min(max, Math.max(min, Math.fround(min + (max - min) * between)));
      for (const one of [min, max, value]) {
        expect(valueToLine(type, one).length).toBeLessThanOrEqual(lineOctetsOf(type));
      }
    }),
  );
});

test('what no line carries takes nothing', () => {
  expect(lineOctetsOf(bytes(4))).toBe(0);
  expect(lineOctetsOf(list(u8(), 4))).toBe(0);
});
