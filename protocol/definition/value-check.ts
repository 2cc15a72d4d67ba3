import { assertNever } from '../errors.js';
import type { FieldType, FieldValue } from './field-types.js';

/**
 * Why a value or its octets are refused. The C++ codec has the same names in the same order of checks
 * (`firmware-templates/runtime/bu_codec.h`), so that both sides refuse alike.
 */
export type RefusalCode =
  | 'short'
  | 'left-over'
  | 'not-bool'
  | 'bad-index'
  | 'too-long'
  | 'too-many'
  | 'out-of-range'
  | 'not-finite'
  | 'bad-utf8'
  /** Only when encoding: the value is not of the field's type at all, or there is none. */
  | 'wrong-type';

/** A refusal: what is wrong, in words that follow the value: `default 300 must be 0 to 255`. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
}

const refuse = (code: RefusalCode, message: string): Refusal => ({ code, message });
const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;

/** Why this value cannot be sent as this type; `undefined` when it can. */
export function refusalOf(type: FieldType, value: FieldValue | undefined | unknown): Refusal | undefined {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? undefined : refuse('wrong-type', 'must be true or false');
    case 'f32': {
      if (typeof value !== 'number') return refuse('wrong-type', 'must be a number');
      const rounded = Math.fround(value);
      if (!Number.isFinite(rounded)) return refuse('not-finite', 'must be a finite number that fits 32 bits');
      const isWithin = rounded >= Math.fround(type.min) && rounded <= Math.fround(type.max);
      return isWithin ? undefined : refuse('out-of-range', `must be ${type.min} to ${type.max}`);
    }
    case 'rgb':
      return typeof value === 'string' && /^#[0-9a-fA-F]{6}$/.test(value)
        ? undefined
        : refuse('wrong-type', 'must be a colour as "#rrggbb"');
    case 'oneOf':
      if (typeof value !== 'string') return refuse('wrong-type', `must be one of ${type.values.join(', ')}`);
      return type.values.includes(value) ? undefined : refuse('bad-index', `must be one of ${type.values.join(', ')}`);
    case 'text':
      if (typeof value !== 'string') return refuse('wrong-type', 'must be a string');
      if (value.length > type.maxOctets || encoder.encode(value).length > type.maxOctets) {
        return refuse('too-long', `must have at most ${type.maxOctets} octets of UTF-8`);
      }
      return loneSurrogate.test(value) ? refuse('bad-utf8', 'must be well-formed text') : undefined;
    case 'bytes':
      if (typeof value !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(value)) {
        return refuse('wrong-type', 'must be octets as hexadecimal digits, two each');
      }
      return value.length <= 2 * type.maxOctets
        ? undefined
        : refuse('too-long', `must have at most ${type.maxOctets} octets`);
    case 'list': {
      if (!Array.isArray(value)) return refuse('wrong-type', 'must be an array');
      if (value.length > type.maxItems) return refuse('too-many', `must have at most ${type.maxItems} items`);
      for (const [index, item] of value.entries()) {
        const refusal = refusalOf(type.item, item);
        if (refusal !== undefined) return refuse(refusal.code, `item ${index} ${refusal.message}`);
      }
      return undefined;
    }
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      if (typeof value !== 'number' || !Number.isInteger(value)) return refuse('wrong-type', 'must be a whole number');
      return value >= type.min && value <= type.max
        ? undefined
        : refuse('out-of-range', `must be ${type.min} to ${type.max}`);
    default:
      return assertNever(type);
  }
}
