import fc from 'fast-check';
import { expect, test } from 'vitest';
import { f32Literal, integerLiteral, octetsLiteral, rgbLiteral, stringLiteral } from '../../codegen/cpp-literals.js';

test('f32 literals are as short as they can be', () => {
  expect(f32Literal(0)).toBe('0.0f');
  expect(f32Literal(-40)).toBe('-40.0f');
  expect(f32Literal(0.1)).toBe('0.1f');
  expect(f32Literal(-0)).toBe('-0.0f');
  expect(f32Literal(3.4028234663852886e38)).toBe('3.4028235e+38f');
  expect(f32Literal(16_777_217)).toBe('16777216.0f');
});

test('any f32 literal means the same float to a compiler, which rounds once, as to JavaScript, which rounds twice', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const literal = f32Literal(value);
      expect(literal).toMatch(/^-?\d+(\.\d+)?(e[+-]?\d+)?f$/);
      expect(literal).toMatch(/[.e]/);
      const digits = Number(literal.slice(0, -1));
      expect(Math.fround(digits)).toBe(value);
      expect(Math.abs(digits - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -26);
    }),
    { numRuns: 5_000 },
  );
});

test('whole numbers at the edges of 32 bits', () => {
  expect(integerLiteral(-2_147_483_648)).toBe('(-2147483647 - 1)');
  expect(integerLiteral(2_147_483_647)).toBe('2147483647');
  expect(integerLiteral(4_294_967_295)).toBe('4294967295u');
});

test('strings: quotes, trigraphs, and octets past ASCII that no digit behind them can join', () => {
  expect(stringLiteral('a"b\\c??/')).toBe('"a\\"b\\\\c\\?\\?/"');
  expect(stringLiteral('°1\n')).toBe('"\\302\\2601\\n"');
});

test('octets and colours', () => {
  expect(octetsLiteral(Uint8Array.of(0, 255))).toBe('0x00, 0xff');
  expect(rgbLiteral('#FF8800')).toBe('0xff, 0x88, 0x00');
});
