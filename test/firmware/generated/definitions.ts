import fc from 'fast-check';
import type { ItemType } from '../../../protocol/definition/field-types.js';
import {
  bool,
  bytes,
  defineUnit,
  type Fields,
  type FieldType,
  f32,
  i8,
  i16,
  i32,
  list,
  octetsOfFields,
  oneOf,
  rgb,
  text,
  type UnitDefinition,
  u8,
  u16,
  u32,
} from '../../../protocol/definition/index.js';

/** Names that C++, Arduino or the generated code itself could trip over, and some that nobody could. */
const fieldNames = [
  'linux',
  'maxOctets',
  'everyMs',
  'value',
  'in',
  'out',
  'unit',
  'reply',
  'mode',
  'a',
  'bB1',
  'errno',
];
const choiceNames = ['HIGH', 'low', '1st', 'a-b', 'auto', '_x', '__', 'unix', 'INPUT', 'Blue', 'a--c', 'none'];

const int = (make: typeof u8, min: number, max: number): fc.Arbitrary<ItemType> =>
  fc
    .tuple(
      fc.integer({ min, max }),
      fc.integer({ min, max }),
      fc.boolean(),
      fc.option(fc.constantFrom('ms', '°C', '*/', '%'), { nil: undefined }),
    )
    .map(([a, b, isWhole, unit]) => {
      const named = unit === undefined ? {} : { unit };
      return (isWhole ? make(named) : make({ ...named, min: Math.min(a, b), max: Math.max(a, b) })) as ItemType;
    });

const float = fc
  .tuple(
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom('whole', 'between', 'tenths'),
  )
  .map(([a, b, range]): ItemType => {
    if (range === 'whole') return f32();
    // 0.1 and the like are no float: the bounds are rounded to one first.
    if (range === 'tenths') return f32({ min: -0.3, max: 0.7, default: 0.1 });
    return f32({ min: Math.min(a, b), max: Math.max(a, b) });
  });

const choices = fc
  .uniqueArray(fc.constantFrom(...choiceNames), { minLength: 1, maxLength: 8 })
  .chain((values) => fc.constantFrom(...values).map((value): ItemType => oneOf(values, { default: value })));

const small = fc.integer({ min: 1, max: 9 });
const item: fc.Arbitrary<ItemType> = fc.oneof(
  fc.boolean().map((value): ItemType => bool({ default: value })),
  int(u8, 0, 0xff),
  int(i8 as unknown as typeof u8, -0x80, 0x7f),
  int(u16 as unknown as typeof u8, 0, 0xffff),
  int(i16 as unknown as typeof u8, -0x8000, 0x7fff),
  int(u32 as unknown as typeof u8, 0, 0xffff_ffff),
  int(i32 as unknown as typeof u8, -0x8000_0000, 0x7fff_ffff),
  float,
  fc.constantFrom('#000000', '#ff8800', '#ABCDEF').map((value): ItemType => rgb({ default: value })),
  choices,
  fc
    .tuple(small, fc.constantFrom('', 'a', '"', '\0', '?'))
    .map(([length, value]): ItemType => text(length, { default: value })),
  fc.constantFrom(1, 255).map((length): ItemType => text(length)),
  fc
    .tuple(small, fc.constantFrom('', '00', 'ff'))
    .map(([length, value]): ItemType => bytes(length, { default: value })),
);
const type: fc.Arbitrary<FieldType> = fc.oneof(
  { weight: 4, arbitrary: item },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        item.filter((one) => octetsOfFields({ one }).max < 20),
        small,
        fc.boolean(),
      )
      .map(([one, length, hasDefault]) => list(one, length, hasDefault ? { default: [one.default] } : {})),
  },
);

const fields = (limit: number): fc.Arbitrary<Fields> =>
  fc
    .uniqueArray(fc.constantFrom(...fieldNames), { maxLength: 6 })
    .chain((names) =>
      fc.tuple(...names.map(() => type)).map((types) => names.map((name, index) => [name, types[index]!] as const)),
    )
    .map((entries): Fields => {
      const kept: Record<string, FieldType> = {};
      for (const [name, one] of entries) {
        if (octetsOfFields({ ...kept, [name]: one }).max <= limit) kept[name] = one;
      }
      return kept;
    });

/** Units whose messages are named so that generated names could meet: `water` with a reply beside `waterReply`, `unit`. */
export const anyUnit = (name: string): fc.Arbitrary<UnitDefinition> =>
  fc
    .tuple(fields(200), fields(30), fields(900), fields(200), fields(200))
    .map(([water, reply, unit, state, hasWater]) =>
      defineUnit({
        name,
        version: '1"\\',
        kind: 'read',
        commands: {
          water: { number: 1, fields: water, reply, description: 'ends a comment: */' },
          waterReply: { number: 2, fields: unit },
          linux: { number: 3 },
        },
        reports: { unit: { number: 4, fields: state }, hasWater: { number: 5, fields: hasWater, everyMs: 1_000 } },
      }),
    );

/** One unit of lines for every type a line can carry, in both directions. */
export function lineUnits(): UnitDefinition[] {
  const types: Readonly<Record<string, FieldType>> = {
    bool: bool(),
    u8: u8({ max: 7 }),
    i32: i32(),
    f32: f32({ min: -1, max: 1, decimals: 3 }),
    rgb: rgb(),
    text: text(20),
    choice: oneOf(['HIGH', 'low', 'a-b']),
  };
  return Object.entries(types).flatMap(([kind, one]) => [
    defineUnit({
      name: `line-out-${kind}`,
      version: '1',
      kind: 'read',
      wire: 'line',
      reports: { it: { number: 1, everyMs: 100, fields: { one } } },
    }),
    defineUnit({
      name: `line-in-${kind}`,
      version: '1',
      kind: 'updatable',
      wire: 'line',
      commands: { it: { number: 1, fields: { one } } },
    }),
  ]);
}
