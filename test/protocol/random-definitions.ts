import fc from 'fast-check';
import { F32_MAX, type ItemType } from '../../protocol/definition/field-types.js';
import {
  bool,
  bytes,
  type Fields,
  type FieldType,
  type FieldValue,
  f32,
  i8,
  i16,
  i32,
  integerTypes,
  list,
  oneOf,
  rgb,
  text,
  u8,
  u16,
  u32,
} from '../../protocol/definition/index.js';
import { toHex } from '../../protocol/octets.js';

const integers = { u8, i8, u16, i16, u32, i32 };
const unit = fc.option(fc.constantFrom('ms', '%', '°C', 'l/min', 'a b', '(x)'), { nil: undefined });
const withUnit = (name: string | undefined) => (name === undefined ? {} : { unit: name });

const integerType = fc.constantFrom(...(Object.keys(integers) as (keyof typeof integers)[])).chain((kind) => {
  const own = integerTypes[kind];
  const bound = fc.integer({ min: own.min, max: own.max });
  return fc.tuple(bound, bound, unit).map(([a, b, name]) => {
    return integers[kind]({ min: Math.min(a, b), max: Math.max(a, b), ...withUnit(name) });
  });
});
const float = fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const floatType = fc.tuple(float, float, unit, fc.integer({ min: 0, max: 6 })).map(([a, b, name, decimals]) => {
  return f32({ min: Math.min(a, b), max: Math.max(a, b), decimals, ...withUnit(name) });
});
const choices = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/), {
  minLength: 1,
  maxLength: 8,
  selector: (value) => value.replaceAll('-', '_').toLowerCase(),
});

/** A type that a list may hold. */
const itemType: fc.Arbitrary<ItemType> = fc.oneof(
  fc.constant(bool()),
  fc.constant(rgb()),
  integerType,
  floatType,
  fc.constant(f32()),
  choices.map((values) => oneOf(values)),
  fc.integer({ min: 1, max: 20 }).map((max) => text(max)),
  fc.integer({ min: 1, max: 20 }).map((max) => bytes(max)),
);
const fieldType: fc.Arbitrary<FieldType> = fc.oneof(
  { weight: 4, arbitrary: itemType },
  { weight: 1, arbitrary: fc.tuple(itemType, fc.integer({ min: 1, max: 5 })).map(([item, max]) => list(item, max)) },
);

/** Names that are no C++ words and differ in more than case. */
export const names = (most: number) =>
  fc.uniqueArray(
    fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/).map((name) => `${name}Q`),
    {
      minLength: 1,
      maxLength: most,
      selector: (name) => name.toLowerCase(),
    },
  );

export const fields = (most: number): fc.Arbitrary<Fields> =>
  names(most).chain((all) =>
    fc
      .array(fieldType, { minLength: all.length, maxLength: all.length })
      .map((types) => Object.fromEntries(all.map((name, index) => [name, types[index]!]))),
  );

const shortText = (maxOctets: number) =>
  fc
    .string({ unit: 'binary', maxLength: maxOctets })
    .filter((value) => new TextEncoder().encode(value).length <= maxOctets);

/** A value that this type takes, in the form in which it is decoded. */
function valueFor(type: FieldType): fc.Arbitrary<FieldValue> {
  switch (type.kind) {
    case 'bool':
      return fc.boolean();
    case 'rgb':
      return fc.uint8Array({ minLength: 3, maxLength: 3 }).map((octets) => `#${toHex(octets)}`);
    case 'oneOf':
      return fc.constantFrom(...type.values);
    case 'text':
      return shortText(type.maxOctets);
    case 'bytes':
      return fc.uint8Array({ maxLength: type.maxOctets }).map(toHex);
    case 'list':
      return fc.array(valueFor(type.item), { maxLength: type.maxItems });
    case 'f32':
      return fc.float({
        min: Math.fround(Math.max(type.min, -F32_MAX)),
        max: Math.fround(Math.min(type.max, F32_MAX)),
        noNaN: true,
        noDefaultInfinity: true,
      });
    default:
      return fc.integer({ min: type.min, max: type.max });
  }
}

export const valuesFor = (all: Fields): fc.Arbitrary<Record<string, FieldValue>> =>
  fc.record(Object.fromEntries(Object.entries(all).map(([name, type]) => [name, valueFor(type)])), {
    noNullPrototype: true,
  });
