import type { Fields } from './define-unit.js';
import { type FieldType, integerTypes } from './field-types.js';
import type { MessageDefinition } from './messages.js';

/** Where a field lies in a message, in octets. */
export interface FieldLayout {
  readonly name: string;
  readonly type: FieldType;
  /** From the first field's first octet; `undefined` behind a field of variable length. */
  readonly offset: number | undefined;
  readonly minOctets: number;
  readonly maxOctets: number;
}

/** Octets before the fields of a report: message number, sequence:u32, age:u32. */
export const REPORT_HEAD_OCTETS = 9;
/** Octets before the fields of a command: message number, id:u32. */
export const COMMAND_HEAD_OCTETS = 5;
/** Octets before the reply fields of an answer: message number. */
export const REPLY_HEAD_OCTETS = 1;

/** The most octets a message may have, its head included: what a unit can hold in a buffer on its stack. */
export const MAX_MESSAGE_OCTETS = 1024;
/** A remembered answer: message number and reply fields. A unit keeps sixteen of them in RAM. */
export const MAX_ANSWER_OCTETS = 32;

/** The longest descriptor: a unit keeps it in flash, and the base reads no longer one. */
export const MAX_DESCRIPTOR_OCTETS = 16 * 1024;

/** The fewest and the most octets that a value of this type takes. */
export function octetsOf(type: FieldType): { readonly min: number; readonly max: number } {
  switch (type.kind) {
    case 'bool':
    case 'oneOf':
      return { min: 1, max: 1 };
    case 'rgb':
      return { min: 3, max: 3 };
    case 'f32':
      return { min: 4, max: 4 };
    case 'text':
    case 'bytes':
      return { min: 1, max: 1 + type.maxOctets };
    case 'list':
      return { min: 1, max: 1 + type.maxItems * octetsOf(type.item).max };
    default:
      return { min: integerTypes[type.kind].octets, max: integerTypes[type.kind].octets };
  }
}

/** Offsets and widths of fields, in declared order. */
export function layoutOf(fields: Fields): FieldLayout[] {
  let offset: number | undefined = 0;
  return Object.entries(fields).map(([name, type]) => {
    const { min, max } = octetsOf(type);
    const layout = { name, type, offset, minOctets: min, maxOctets: max };
    offset = offset === undefined || min !== max ? undefined : offset + max;
    return layout;
  });
}

/** The fewest and the most octets of a set of fields. */
export function octetsOfFields(fields: Fields): { readonly min: number; readonly max: number } {
  const layout = layoutOf(fields);
  return {
    min: layout.reduce((sum, field) => sum + field.minOctets, 0),
    max: layout.reduce((sum, field) => sum + field.maxOctets, 0),
  };
}

/** The most octets of a message, its head included. */
export function maxOctetsOf(message: MessageDefinition): number {
  const head = message.kind === 'report' ? REPORT_HEAD_OCTETS : COMMAND_HEAD_OCTETS;
  return head + octetsOfFields(message.fields).max;
}
