/** The field types of a unit's messages (wire/unit.md, "Fields"). All are little-endian on the wire. */

/** Whole-number types: octets on the wire and the range each can hold. */
export const integerTypes = {
  u8: { octets: 1, min: 0, max: 0xff },
  i8: { octets: 1, min: -0x80, max: 0x7f },
  u16: { octets: 2, min: 0, max: 0xffff },
  i16: { octets: 2, min: -0x8000, max: 0x7fff },
  u32: { octets: 4, min: 0, max: 0xffff_ffff },
  i32: { octets: 4, min: -0x8000_0000, max: 0x7fff_ffff },
} as const;

export type IntegerKind = keyof typeof integerTypes;

/** The largest finite f32. */
export const F32_MAX = 3.4028234663852886e38;

export interface BoolType {
  readonly kind: 'bool';
  readonly default: boolean;
}

export interface IntegerType<K extends IntegerKind = IntegerKind> {
  readonly kind: K;
  readonly unit: string | undefined;
  readonly min: number;
  readonly max: number;
  readonly default: number;
}

export interface FloatType {
  readonly kind: 'f32';
  readonly unit: string | undefined;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** Digits after the point where the value is written as text (line units, terminal). Not on the wire. */
  readonly decimals: number;
}

/** Value: `#rrggbb`, lower case. On the wire: red, green, blue, one octet each. */
export interface RgbType {
  readonly kind: 'rgb';
  readonly default: string;
}

/** Value: one of `values`. On the wire: its index, one octet. */
export interface OneOfType<V extends string = string> {
  readonly kind: 'oneOf';
  readonly values: readonly V[];
  readonly default: V;
}

/** Value: a string of at most `maxOctets` octets of UTF-8. On the wire: length, one octet, then the octets. */
export interface TextType {
  readonly kind: 'text';
  readonly maxOctets: number;
  readonly default: string;
}

/** Value: octets as lower-case hexadecimal digits. On the wire: length, one octet, then the octets. */
export interface BytesType {
  readonly kind: 'bytes';
  readonly maxOctets: number;
  readonly default: string;
}

/** Value: an array. On the wire: count, one octet, then the items. */
export interface ListType<I extends ItemType = ItemType> {
  readonly kind: 'list';
  readonly item: I;
  readonly maxItems: number;
  readonly default: readonly FieldValue[];
}

/** What a list may hold: everything but a list. */
export type ItemType = BoolType | IntegerType | FloatType | RgbType | OneOfType | TextType | BytesType;
export type FieldType = ItemType | ListType;

/** A field's value in TypeScript and in JSON alike. */
export type FieldValue = boolean | number | string | readonly FieldValue[];

/** The TypeScript type of a field's value. */
export type ValueOf<T extends FieldType> = T extends BoolType
  ? boolean
  : T extends IntegerType | FloatType
    ? number
    : T extends OneOfType<infer V>
      ? V
      : T extends ListType<infer I>
        ? readonly ValueOf<I>[]
        : string;

export interface NumberOptions {
  /** What the number counts, for people: `ms`, `%`, `°C`. At most 16 octets of UTF-8. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly default?: number;
}

export const bool = (options: { readonly default?: boolean } = {}): BoolType => ({
  kind: 'bool',
  default: options.default ?? false,
});

function integer<K extends IntegerKind>(kind: K) {
  const own = integerTypes[kind];
  return (options: NumberOptions = {}): IntegerType<K> => {
    const min = options.min ?? own.min;
    const max = options.max ?? own.max;
    return { kind, unit: options.unit, min, max, default: options.default ?? nearestToZero(min, max) };
  };
}

export const u8 = integer('u8');
export const i8 = integer('i8');
export const u16 = integer('u16');
export const i16 = integer('i16');
export const u32 = integer('u32');
export const i32 = integer('i32');

export const f32 = (options: NumberOptions & { readonly decimals?: number } = {}): FloatType => {
  const min = options.min ?? -F32_MAX;
  const max = options.max ?? F32_MAX;
  return {
    kind: 'f32',
    unit: options.unit,
    min,
    max,
    default: options.default ?? nearestToZero(min, max),
    decimals: options.decimals ?? 2,
  };
};

export const rgb = (options: { readonly default?: string } = {}): RgbType => ({
  kind: 'rgb',
  default: options.default ?? '#000000',
});

export const oneOf = <const V extends string>(
  values: readonly V[],
  options: { readonly default?: NoInfer<V> } = {},
): OneOfType<V> => ({ kind: 'oneOf', values, default: options.default ?? (values[0] as V) });

export const text = (maxOctets: number, options: { readonly default?: string } = {}): TextType => ({
  kind: 'text',
  maxOctets,
  default: options.default ?? '',
});

export const bytes = (maxOctets: number, options: { readonly default?: string } = {}): BytesType => ({
  kind: 'bytes',
  maxOctets,
  default: options.default ?? '',
});

export const list = <I extends ItemType>(
  item: I,
  maxItems: number,
  options: { readonly default?: readonly FieldValue[] } = {},
): ListType<I> => ({ kind: 'list', item, maxItems, default: options.default ?? [] });

function nearestToZero(min: number, max: number): number {
  return Math.min(Math.max(0, min), max);
}
