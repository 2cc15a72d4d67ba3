import type { FieldType } from '../protocol/definition/index.js';

/** The most octets that a value of this type takes as the text of a line; 0 for what no line carries (wire/unit.md, "Line units"). */
export function lineOctetsOf(type: FieldType): number {
  switch (type.kind) {
    case 'bool':
      return 'false'.length;
    case 'rgb':
      return '#rrggbb'.length;
    case 'text':
      return type.maxOctets;
    case 'oneOf':
      return Math.max(...type.values.map(({ length }) => length));
    case 'bytes':
    case 'list':
      return 0;
    case 'f32':
      // Bounds are rounded to f32 first.
      return (
        Math.max(...[type.min, type.max].map(Math.fround).map(digitsOf)) + (type.decimals > 0 ? 1 + type.decimals : 0)
      );
    default:
      return Math.max(digitsOf(type.min), digitsOf(type.max));
  }
}

/** Sign and digits before the point; rounding may carry into one more. */
function digitsOf(bound: number): number {
  const size = BigInt(Math.ceil(Math.abs(bound))).toString().length;
  return bound < 0 ? size + 1 : size;
}
