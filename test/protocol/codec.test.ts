import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bool,
  bytes,
  decodeFields,
  encodeFields,
  type FieldType,
  type FieldValue,
  f32,
  i8,
  list,
  octetsOfFields,
  oneOf,
  refusalOf,
  rgb,
  text,
  u8,
  u16,
} from '../../protocol/definition/index.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { fields, valuesFor } from './random-definitions.js';
import { type Vector, vectorsOf } from './stream-vectors.js';

const vectors = vectorsOf<Vector & { readonly type: FieldType }>('fields.json');

/** A value as the wire tells it apart: f32 has 32 bits, and there is one zero. */
function onTheWire(type: FieldType, value: FieldValue): unknown {
  if (type.kind === 'list') return (value as readonly FieldValue[]).map((item) => onTheWire(type.item, item));
  if (typeof value !== 'number') return value;
  return (type.kind === 'f32' ? Math.fround(value) : value) + 0;
}

describe.each(vectors.filter(({ error }) => error === undefined))('$name ($source)', ({ type, hex, value }) => {
  test('decodes, encodes, and encodes again what was decoded', () => {
    const decoded = decodeFields({ field: type }, fromHex(hex));
    expect(decoded.ok && onTheWire(type, decoded.values.field!)).toEqual(onTheWire(type, value as FieldValue));
    const encoded = encodeFields({ field: type }, { field: value });
    expect(encoded.ok && toHex(encoded.octets)).toBe(hex);
  });

  test('cut at every octet, or with one left over, it is refused', () => {
    const octets = fromHex(hex);
    for (let end = 0; end < octets.length; end += 1)
      expect(decodeFields({ field: type }, octets.subarray(0, end)).ok, `cut at ${end}`).toBe(false);
    expect(decodeFields({ field: type }, concat(octets, Uint8Array.of(0)))).toMatchObject({
      refusal: { field: '', code: 'left-over' },
    });
  });
});

test.each(vectors.filter(({ error }) => error !== undefined))('$name is refused ($source)', ({ type, hex, error }) => {
  expect(decodeFields({ field: type }, fromHex(hex))).toMatchObject({ ok: false, refusal: { code: error } });
});

describe('whatever the fields', () => {
  const cases = fields(6).chain((all) => fc.tuple(fc.constant(all), valuesFor(all)));

  test('decoding what was encoded gives the values back, in as many octets as the layout says', () => {
    fc.assert(
      fc.property(cases, ([all, values]) => {
        const encoded = encodeFields(all, values);
        expect(encoded.ok).toBe(true);
        if (!encoded.ok) return;
        const { min, max } = octetsOfFields(all);
        expect(encoded.octets.length).toBeGreaterThanOrEqual(min);
        expect(encoded.octets.length).toBeLessThanOrEqual(max);
        const decoded = decodeFields(all, encoded.octets);
        expect(decoded.ok).toBe(true);
        if (!decoded.ok) return;
        for (const [name, type] of Object.entries(all))
          expect(onTheWire(type, decoded.values[name]!)).toEqual(onTheWire(type, values[name]!));
      }),
      { numRuns: 1_000 },
    );
  });

  test('arbitrary octets never throw; what they decode to is a value of its type and encodes to the same octets', () => {
    fc.assert(
      fc.property(fields(4), fc.uint8Array({ maxLength: 60 }), (all, octets) => {
        const decoded = decodeFields(all, octets);
        if (!decoded.ok) return;
        for (const [name, type] of Object.entries(all)) expect(refusalOf(type, decoded.values[name])).toBeUndefined();
        const again = encodeFields(all, decoded.values);
        expect(again.ok && toHex(again.octets)).toBe(toHex(octets));
      }),
      { numRuns: 3_000 },
    );
  });

  test('what is refused as a value is refused when encoding, and the other way round', () => {
    fc.assert(
      fc.property(fields(3), fc.jsonValue(), (all, value) => {
        const [name, type] = Object.entries(all)[0]!;
        const refusal = refusalOf(type, value);
        const encoded = encodeFields(all, { [name]: value });
        expect(encoded.ok).toBe(refusal === undefined);
        if (!encoded.ok) expect(encoded.refusal).toEqual({ field: name, ...refusal });
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('encoding', () => {
  test('a field left out gets its default', () => {
    const encoded = encodeFields({ a: u8({ default: 7 }), b: u8() }, { b: 1 });
    expect(encoded.ok && toHex(encoded.octets)).toBe('0701');
  });

  test('a name that is no field is refused, with the names that are', () => {
    expect(encodeFields({ a: u8(), b: u8() }, { c: 1 })).toEqual({
      ok: false,
      refusal: { field: 'c', code: 'wrong-type', message: 'is no field of this message; its fields are: a, b' },
    });
    expect(encodeFields({}, { c: 1 })).toMatchObject({ refusal: { message: expect.stringContaining('are: none') } });
  });

  test.each(['constructor', 'toString', '__proto__'])(
    'a field is never taken from what every object has: %s',
    (name) => {
      const given: object = JSON.parse(`{"${name}": 1}`);
      expect(encodeFields({ a: u8() }, given as Record<string, unknown>)).toMatchObject({ refusal: { field: name } });
      const encoded = encodeFields({ constructor: u8({ default: 3 }) }, {});
      expect(encoded.ok && toHex(encoded.octets)).toBe('03');
    },
  );
});

describe('a value is refused', () => {
  test.each<[string, FieldType, unknown, string, string]>([
    ['no bool', bool(), 1, 'wrong-type', 'must be true or false'],
    ['nothing', u8(), undefined, 'wrong-type', 'must be a whole number'],
    ['a number as text', u8(), '5', 'wrong-type', 'must be a whole number'],
    ['half a number', u8(), 1.5, 'wrong-type', 'must be a whole number'],
    ['no number', i8(), Number.NaN, 'wrong-type', 'must be a whole number'],
    ['past its range', u8({ max: 100 }), 101, 'out-of-range', 'must be 0 to 100'],
    ['below its range', i8({ min: -5, max: 5 }), -6, 'out-of-range', 'must be -5 to 5'],
    ['an f32 that is NaN', f32(), Number.NaN, 'not-finite', 'must be a finite number that fits 32 bits'],
    ['an f32 that is too large', f32(), 3.5e38, 'not-finite', 'must be a finite number that fits 32 bits'],
    ['an f32 past its range', f32({ min: 0, max: 1 }), 1.000_001, 'out-of-range', 'must be 0 to 1'],
    ['an f32 as text', f32(), '1', 'wrong-type', 'must be a number'],
    ['a colour name', rgb(), 'red', 'wrong-type', 'must be a colour as "#rrggbb"'],
    ['a short colour', rgb(), '#fff', 'wrong-type', 'must be a colour as "#rrggbb"'],
    ['no choice', oneOf(['a', 'b']), 'c', 'bad-index', 'must be one of a, b'],
    ['no text', text(3), 5, 'wrong-type', 'must be a string'],
    ['a text of one octet too many', text(3), 'éé', 'too-long', 'must have at most 3 octets of UTF-8'],
    ['half a surrogate pair', text(9), '\ud800', 'bad-utf8', 'must be well-formed text'],
    ['an odd number of digits', bytes(3), 'abc', 'wrong-type', 'must be octets as hexadecimal digits, two each'],
    ['an octet too many', bytes(3), '00112233', 'too-long', 'must have at most 3 octets'],
    ['no array', list(u8(), 2), { length: 1 }, 'wrong-type', 'must be an array'],
    ['an item too many', list(u8(), 2), [1, 2, 3], 'too-many', 'must have at most 2 items'],
    ['a wrong item', list(u16({ max: 9 }), 2), [1, 10], 'out-of-range', 'item 1 must be 0 to 9'],
    ['a hole in an array', list(u8(), 2), new Array(1), 'wrong-type', 'item 0 must be a whole number'],
  ])('%s', (_, type, value, code, message) => {
    expect(refusalOf(type, value)).toEqual({ code, message });
  });

  test('at its bounds it is taken', () => {
    expect(refusalOf(text(4), 'éé')).toBeUndefined();
    expect(refusalOf(f32({ min: 0.1, max: 0.2 }), 0.1)).toBeUndefined();
    expect(refusalOf(f32({ min: 0.1, max: 0.2 }), Math.fround(0.2))).toBeUndefined();
    expect(refusalOf(u8({ min: 3, max: 3 }), 3)).toBeUndefined();
    expect(refusalOf(rgb(), '#FF00aa')).toBeUndefined();
  });
});
