import type { FieldType, FieldValue } from '../definition/field-types.js';
import { type Refusal, refusalOf } from '../definition/value-check.js';
import { assertNever } from '../errors.js';

/** A value as the text of a line (wire/unit.md, "Line units"): decimal, `true`/`false`, `#rrggbb`, or the text itself. */
export function valueToLine(type: FieldType, value: FieldValue): string {
  switch (type.kind) {
    case 'f32':
      return (value as number).toFixed(type.decimals);
    case 'rgb':
      return (value as string).toLowerCase();
    default:
      return String(value);
  }
}

export type LineValue =
  | { readonly ok: true; readonly value: FieldValue }
  | { readonly ok: false; readonly refusal: Refusal };

const decimal = /^-?\d{1,10}(\.\d{1,10})?$/;

/** The value in the text of a line, checked as the codec checks octets. Blanks around it do not matter, except in a text. */
export function lineToValue(type: FieldType, line: string): LineValue {
  const value = parse(type, type.kind === 'text' ? line : line.trim());
  if (value === undefined) return { ok: false, refusal: { code: 'wrong-type', message: `is no ${type.kind}` } };
  const refusal = refusalOf(type, value);
  return refusal === undefined ? { ok: true, value } : { ok: false, refusal };
}

function parse(type: FieldType, text: string): FieldValue | undefined {
  switch (type.kind) {
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'u8':
    case 'i8':
    case 'u16':
    case 'i16':
    case 'u32':
    case 'i32':
      return decimal.test(text) ? Number(text) : undefined;
    case 'f32':
      return decimal.test(text) ? Math.fround(Number(text)) : undefined;
    case 'rgb':
      return text.toLowerCase();
    case 'oneOf':
      return text;
    case 'text':
      return text.includes('\ufffd') ? undefined : text;
    case 'bytes':
    case 'list':
      return undefined;
    default:
      return assertNever(type);
  }
}
