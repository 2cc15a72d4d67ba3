import { type Fields, type FieldType, type FieldValue, integerTypes, octetsOf } from '../protocol/definition/index.js';
import { fromHex } from '../protocol/octets.js';
import { f32Literal, integerLiteral, octetsLiteral, rgbLiteral, stringLiteral } from './cpp-literals.js';
import { enumeratorsOf, memberNameOf, typeNameOf } from './cpp-names.js';
import { lineOctetsOf } from './line-octets.js';
import { NamePool } from './name-pool.js';

/** A value's C++ type and the calls of `bu::Reader` and `bu::Writer` that move it. */
interface ValueView {
  readonly type: string;
  /** `read` fills a variable in place (text, bytes) instead of giving a value back. */
  readonly isInPlace: boolean;
  /** The Reader's function: `u16`, `oneOf<Mode>`. */
  readonly reader: string;
  /** The Writer's function: `u16`, `oneOf`. */
  readonly writer: string;
  /** What the Reader's function is given: `0, 60000`. */
  readonly bounds: string;
  /** The same behind a value: `, 0, 60000`. */
  readonly moreBounds: string;
}

/** A field as a member of its message's struct. */
export interface FieldView extends ValueView {
  readonly index: number;
  readonly name: string;
  readonly member: string;
  /** Its type inside the struct, where a oneOf's own type needs no struct's name before it. */
  readonly memberType: string;
  /** What follows the member's name in its declaration: ` = 1000`, `{0, 0, 0}`, or nothing. */
  readonly initial: string;
  /** What a comment says of it: `ms, 0 to 60000`; empty when there is nothing to say. */
  readonly note: string;
  /** A oneOf's own type, declared in the struct; null for other types. */
  readonly choice: ChoiceView | null;
  readonly isList: boolean;
  /** A list's items; for other types the value itself. */
  readonly item: ValueView;
  readonly maxOctets: number;
  /** In RAM, on the chip and on any other machine with aligned words. */
  readonly ram: RamView;
  /** Behind the bounds where the value is written as text: `, 1`, an f32's digits behind the point. */
  readonly moreDecimals: string;
  /** The values of a oneOf as text, joined by commas. */
  readonly choices: string;
  /** Octets of its longest value as the text of a line. */
  readonly lineOctets: number;
}

interface RamView {
  readonly octets: number;
  readonly alignment: number;
}

interface ChoiceView {
  readonly type: string;
  readonly enumerators: string;
}

/** Fields of a struct of that name, in declared order. */
export function fieldViews(fields: Fields, struct: string): FieldView[] {
  // A type of a struct may not have the struct's own name.
  const types = new NamePool([struct]);
  const members = new NamePool(['number', 'maxOctets', 'everyMs']);
  return Object.entries(fields).map(([name, type], index) => {
    const plain = type.kind === 'list' ? type.item : type;
    const choiceType = plain.kind === 'oneOf' ? types.take(typeNameOf(name)) : '';
    const item = valueView(plain, `${struct}::${choiceType}`);
    const itemType = plain.kind === 'oneOf' ? choiceType : item.type;
    const memberType = type.kind === 'list' ? `bu::List<${itemType}, ${type.maxItems}>` : itemType;
    return {
      ...item,
      index,
      name,
      member: members.take(memberNameOf(name)),
      memberType,
      initial: initialOf(type, memberType, itemType),
      note: noteOf(type),
      choice: plain.kind === 'oneOf' ? { type: choiceType, enumerators: enumeratorsOf(plain.values).join(', ') } : null,
      isList: type.kind === 'list',
      item,
      maxOctets: octetsOf(type).max,
      ram: ramOf(type),
      moreDecimals: plain.kind === 'f32' ? `, ${plain.decimals}` : '',
      choices: plain.kind === 'oneOf' ? plain.values.join(',') : '',
      lineOctets: lineOctetsOf(type),
    };
  });
}

function valueView(type: Exclude<FieldType, { kind: 'list' }>, choiceType: string): ValueView {
  switch (type.kind) {
    case 'bool':
      return view('bool', 'boolean');
    case 'rgb':
      return view('bu::Rgb', 'rgb');
    case 'f32':
      return view('float', 'f32', [f32Literal(type.min), f32Literal(type.max)]);
    case 'oneOf':
      return { ...view(choiceType, 'oneOf', [String(type.values.length)]), reader: `oneOf<${choiceType}>` };
    case 'text':
      return { ...view(`bu::Text<${type.maxOctets}>`, 'text'), isInPlace: true };
    case 'bytes':
      return { ...view(`bu::Bytes<${type.maxOctets}>`, 'bytes'), isInPlace: true };
    default: {
      const own = integerTypes[type.kind];
      const isWhole = type.min === own.min && type.max === own.max;
      const cppType = `${type.kind.startsWith('u') ? 'uint' : 'int'}${8 * own.octets}_t`;
      return view(cppType, type.kind, isWhole ? [] : [integerLiteral(type.min), integerLiteral(type.max)]);
    }
  }
}

function view(type: string, call: string, bounds: readonly string[] = []): ValueView {
  return {
    type,
    isInPlace: false,
    reader: call,
    writer: call,
    bounds: bounds.join(', '),
    moreBounds: bounds.map((bound) => `, ${bound}`).join(''),
  };
}

function initialOf(type: FieldType, cppType: string, itemType: string): string {
  switch (type.kind) {
    case 'rgb':
      return `{${rgbLiteral(type.default)}}`;
    case 'text':
      return type.default === '' ? '' : `{${textArguments(type.default)}}`;
    case 'bytes':
      return type.default === '' ? '' : `{${octetsLiteral(fromHex(type.default))}}`;
    case 'list': {
      const items = type.default.map((item) => literalOf(type.item, item, itemType));
      return items.length === 0 ? '' : ` = ${cppType}::of(${items.join(', ')})`;
    }
    default:
      return ` = ${literalOf(type, type.default, cppType)}`;
  }
}

/** A value as a C++ expression of that type. */
function literalOf(type: FieldType, value: FieldValue, cppType: string): string {
  switch (type.kind) {
    case 'bool':
      return String(value);
    case 'f32':
      return f32Literal(value as number);
    case 'rgb':
      return `${cppType}{${rgbLiteral(value as string)}}`;
    case 'oneOf':
      return `${cppType}::${enumeratorsOf(type.values)[type.values.indexOf(value as string)]}`;
    case 'text':
      return `${cppType}(${textArguments(value as string)})`;
    case 'bytes':
      return `${cppType}{${octetsLiteral(fromHex(value as string))}}`;
    default:
      return integerLiteral(value as number);
  }
}

/** Text may hold a zero, so its length is told. */
function textArguments(text: string): string {
  return `${stringLiteral(text)}, ${new TextEncoder().encode(text).length}`;
}

/** A struct's size, members in declared order, each at a multiple of its alignment. */
export function ramOfStruct(fields: readonly FieldView[]): number {
  let end = 0;
  for (const { ram } of fields) end = roundUp(end, ram.alignment) + ram.octets;
  return Math.max(1, roundUp(end, Math.max(1, ...fields.map(({ ram }) => ram.alignment))));
}

function ramOf(type: FieldType): RamView {
  switch (type.kind) {
    case 'bool':
    case 'oneOf':
      return { octets: 1, alignment: 1 };
    case 'rgb':
      return { octets: 3, alignment: 1 };
    case 'f32':
      return { octets: 4, alignment: 4 };
    case 'text':
      // A closing zero, the length, the mark of text that did not fit.
      return { octets: type.maxOctets + 3, alignment: 1 };
    case 'bytes':
      return { octets: type.maxOctets + 2, alignment: 1 };
    case 'list': {
      const item = ramOf(type.item);
      return { octets: roundUp(type.maxItems * item.octets + 2, item.alignment), alignment: item.alignment };
    }
    default: {
      const { octets } = integerTypes[type.kind];
      return { octets, alignment: octets };
    }
  }
}

function roundUp(octets: number, alignment: number): number {
  return Math.ceil(octets / alignment) * alignment;
}

/** What a struct cannot say: the unit and the range that are refused beyond. */
function noteOf(type: FieldType): string {
  switch (type.kind) {
    case 'bool':
    case 'rgb':
    case 'oneOf':
      return '';
    case 'text':
      return `at most ${type.maxOctets} octets of UTF-8`;
    case 'bytes':
      return `at most ${type.maxOctets} octets`;
    case 'list': {
      const each = noteOf(type.item);
      return `at most ${type.maxItems}${each === '' ? '' : `, each: ${each}`}`;
    }
    default: {
      const own = type.kind === 'f32' ? undefined : integerTypes[type.kind];
      const isOwnRange =
        own === undefined ? type.max > 3.4e38 && type.min < -3.4e38 : type.min === own.min && type.max === own.max;
      const range = isOwnRange ? [] : [`${type.min} to ${type.max}`];
      return [...(type.unit === undefined ? [] : [type.unit]), ...range].join(', ');
    }
  }
}
