import { assertNever } from '../errors.js';
import { Cursor, fromHex, OctetWriter, PastTheEnd, toHex } from '../octets.js';
import type { Fields } from './define-unit.js';
import type { FieldType, FieldValue } from './field-types.js';
import { type Refusal, refusalOf } from './value-check.js';

/** Values by field name. */
export type Values = Readonly<Record<string, FieldValue>>;

/** Encoding or decoding refused: which field, which rule. */
export interface FieldRefusal extends Refusal {
  /** The field's name; empty for octets left over behind the last one. */
  readonly field: string;
}

export type Encoded =
  | { readonly ok: true; readonly octets: Uint8Array }
  | { readonly ok: false; readonly refusal: FieldRefusal };
export type Decoded =
  | { readonly ok: true; readonly values: Values }
  | { readonly ok: false; readonly refusal: FieldRefusal };

/**
 * The octets of a message's fields, packed in declared order, little-endian. A field left out gets its default.
 * Refused: a value outside its type or range, and a name that is no field.
 */
export function encodeFields(fields: Fields, values: Readonly<Record<string, unknown>>): Encoded {
  const writer = new OctetWriter();
  const stranger = Object.keys(values).find((name) => !Object.hasOwn(fields, name));
  if (stranger !== undefined) {
    const known = Object.keys(fields).join(', ') || 'none';
    return {
      ok: false,
      refusal: {
        field: stranger,
        code: 'wrong-type',
        message: `is no field of this message; its fields are: ${known}`,
      },
    };
  }
  for (const [name, type] of Object.entries(fields)) {
    const value = Object.hasOwn(values, name) ? values[name] : type.default;
    const refusal = refusalOf(type, value);
    if (refusal !== undefined) return { ok: false, refusal: { field: name, ...refusal } };
    write(writer, type, value as FieldValue);
  }
  return { ok: true, octets: writer.finish() };
}

/** The values in a message's octets. Refused as wire/unit.md ("Fields") says; never throws. */
export function decodeFields(fields: Fields, octets: Uint8Array): Decoded {
  const cursor = new Cursor(octets);
  const values: Record<string, FieldValue> = {};
  for (const [name, type] of Object.entries(fields)) {
    try {
      values[name] = read(cursor, type);
    } catch (error) {
      return { ok: false, refusal: { field: name, ...refusalFrom(error) } };
    }
  }
  if (cursor.left > 0) {
    return {
      ok: false,
      refusal: { field: '', code: 'left-over', message: `${cursor.left} octets are left over behind the last field` },
    };
  }
  return { ok: true, values };
}

/** Thrown inside `read` only. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: Refusal['code'], message: string) {
    super(message);
    this.refusal = { code, message };
  }
}

function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  if (error instanceof PastTheEnd) return { code: 'short', message: 'the message ends inside it' };
  throw error;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function write(writer: OctetWriter, type: FieldType, value: FieldValue): void {
  switch (type.kind) {
    case 'bool':
      writer.u8(value ? 1 : 0);
      return;
    case 'u8':
    case 'i8':
      writer.u8((value as number) & 0xff);
      return;
    case 'u16':
    case 'i16':
      writer.u16((value as number) & 0xffff);
      return;
    case 'u32':
    case 'i32':
      writer.u32((value as number) >>> 0);
      return;
    case 'f32':
      writer.f32(value as number);
      return;
    case 'rgb':
      writer.octets(fromHex((value as string).slice(1)));
      return;
    case 'oneOf':
      writer.u8(type.values.indexOf(value as string));
      return;
    case 'text':
    case 'bytes': {
      const octets = type.kind === 'text' ? encoder.encode(value as string) : fromHex(value as string);
      writer.u8(octets.length).octets(octets);
      return;
    }
    case 'list': {
      const items = value as readonly FieldValue[];
      writer.u8(items.length);
      for (const item of items) write(writer, type.item, item);
      return;
    }
    default:
      assertNever(type);
  }
}

function read(cursor: Cursor, type: FieldType): FieldValue {
  switch (type.kind) {
    case 'bool': {
      const octet = cursor.u8();
      if (octet > 1) throw new Refused('not-bool', `is ${octet}; a bool is 0 or 1`);
      return octet === 1;
    }
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      return inRange(type, cursor[type.kind]());
    case 'f32': {
      const value = cursor.f32();
      if (!Number.isFinite(value)) throw new Refused('not-finite', 'is not a finite number');
      if (value < Math.fround(type.min) || value > Math.fround(type.max)) {
        throw new Refused('out-of-range', `is ${value}; it must be ${type.min} to ${type.max}`);
      }
      return shortestF32(value);
    }
    case 'rgb':
      return `#${toHex(cursor.take(3))}`;
    case 'oneOf': {
      const index = cursor.u8();
      const value = type.values[index];
      if (value === undefined) throw new Refused('bad-index', `has index ${index} of ${type.values.length} values`);
      return value;
    }
    case 'text':
    case 'bytes': {
      const length = cursor.u8();
      if (length > type.maxOctets) throw new Refused('too-long', `has ${length} octets; ${type.maxOctets} are allowed`);
      const octets = cursor.take(length);
      return type.kind === 'bytes' ? toHex(octets) : utf8(octets);
    }
    case 'list': {
      const count = cursor.u8();
      if (count > type.maxItems) throw new Refused('too-many', `has ${count} items; ${type.maxItems} are allowed`);
      return Array.from({ length: count }, () => read(cursor, type.item));
    }
    default:
      return assertNever(type);
  }
}

function inRange(type: { readonly min: number; readonly max: number }, value: number): number {
  if (value < type.min || value > type.max)
    throw new Refused('out-of-range', `is ${value}; it must be ${type.min} to ${type.max}`);
  return value;
}

/**
 * The shortest decimal that is this f32: 21.3, not 21.299999237060547. It encodes to the same octets, and a value at a bound
 * such as 0.1 is not above it.
 */
function shortestF32(value: number): number {
  if (value === 0) return value; // -0 has no decimal of its own
  for (let digits = 6; digits <= 8; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

function utf8(octets: Uint8Array): string {
  try {
    return decoder.decode(octets);
  } catch {
    throw new Refused('bad-utf8', 'is not UTF-8');
  }
}
