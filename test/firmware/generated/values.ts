import fc from 'fast-check';
import { type FieldType, type FieldValue, integerTypes } from '../../../protocol/definition/index.js';
import { fromHex, toHex } from '../../../protocol/octets.js';

/** Values of a field for both codecs, written as a line for the probe (see probe.h). */

/** Text as octets; a lone surrogate as the three octets that UTF-8 does not allow. */
function textOctets(value: string): Uint8Array {
  const octets: number[] = [];
  for (const character of value) {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff)
      octets.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else octets.push(...new TextEncoder().encode(character));
  }
  return Uint8Array.from(octets);
}

const bits = new DataView(new ArrayBuffer(4));

/** A value's tokens. A oneOf's value that is none of its own is written as an index past the last. */
export function tokensOf(type: FieldType, value: FieldValue): string {
  switch (type.kind) {
    case 'bool':
      return value ? '1' : '0';
    case 'f32':
      bits.setFloat32(0, value as number);
      return bits.getUint32(0).toString(16).padStart(8, '0');
    case 'rgb':
      return (value as string).slice(1).toLowerCase();
    case 'oneOf': {
      const index = type.values.indexOf(value as string);
      return String(index === -1 ? type.values.length : index);
    }
    case 'text':
      return `x${toHex(textOctets(value as string))}`;
    case 'bytes':
      return `x${(value as string).toLowerCase()}`;
    case 'list': {
      const items = value as readonly FieldValue[];
      return [items.length, ...items.map((item) => tokensOf(type.item, item))].join(' ');
    }
    default:
      return String(value);
  }
}

const anyText = (maxOctets: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom('a', 'Z', '\0', 'é', '€', '😀', '\ud800', '\udfff', '\u{10ffff}'), {
      maxLength: maxOctets + 2,
    })
    .map((characters) => characters.join(''));

/** Values that can be written as this C++ type: most of them fit, some are past a bound of the definition. */
export function anyValue(type: FieldType): fc.Arbitrary<FieldValue> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'f32':
      return fc.oneof(
        { weight: 4, arbitrary: fc.double({ min: type.min, max: type.max, noNaN: true }).map(Math.fround) },
        { weight: 1, arbitrary: fc.float() },
        { weight: 1, arbitrary: fc.constantFrom(type.min, type.max, 0, -0, 0.1, 1e-45).map(Math.fround) },
      );
    case 'rgb':
      return fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
    case 'oneOf':
      return fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(...type.values) },
        { weight: 1, arbitrary: fc.constant('no value of this') },
      );
    case 'text':
      return fc.oneof(
        { weight: 6, arbitrary: fc.string({ unit: 'binary', maxLength: Math.max(1, Math.floor(type.maxOctets / 3)) }) },
        { weight: 1, arbitrary: anyText(type.maxOctets) },
      );
    case 'bytes':
      return fc.uint8Array({ maxLength: type.maxOctets + 1 }).map(toHex);
    case 'list':
      return fc.oneof(
        { weight: 6, arbitrary: fc.array(anyValue(type.item), { maxLength: type.maxItems }) },
        {
          weight: 1,
          arbitrary: fc.array(anyValue(type.item), { minLength: type.maxItems, maxLength: type.maxItems + 1 }),
        },
      );
    default: {
      const own = integerTypes[type.kind];
      return fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: type.min, max: type.max }) },
        { weight: 1, arbitrary: fc.integer({ min: own.min, max: own.max }) },
        { weight: 1, arbitrary: fc.constantFrom(type.min, type.max, own.min, own.max) },
      );
    }
  }
}

/** Octets that come near what decoders look at: lengths, bools, indices, floats, broken UTF-8. */
const anyOctets: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }).map((octet) => [octet]),
      fc.integer({ min: 0, max: 9 }).map((octet) => [octet]),
      fc
        .constantFrom('c3a9', 'e282ac', 'f09f9880', 'eda080', 'c080', 'f4908080', 'efbbbf', 'ff', 'e282')
        .map((hex) => [...fromHex(hex)]),
      fc.constantFrom('0000807f', '000080ff', '0000c07f', '00000080', '0000803f').map((hex) => [...fromHex(hex)]),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

/** Octets for a decoder: any at all, and octets that were right until one was changed, cut off or added. */
export function octetsNear(right: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.constantFrom<'none' | 'cut' | 'set' | 'add'>('none', 'cut', 'set', 'set', 'add');
  return fc.oneof(
    { weight: 1, arbitrary: anyOctets },
    {
      weight: 3,
      arbitrary: fc
        .tuple(right, change, fc.nat(), fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 255 })))
        .map(([octets, kind, at, octet]) => {
          if (kind === 'cut') return octets.slice(0, octets.length === 0 ? 0 : at % octets.length);
          if (kind === 'add') return Uint8Array.from([...octets, octet]);
          return kind === 'set' && octets.length > 0 ? octets.with(at % octets.length, octet) : octets;
        }),
    },
  );
}
