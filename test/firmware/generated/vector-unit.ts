import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ItemType } from '../../../protocol/definition/field-types.js';
import {
  defineUnit,
  type FieldType,
  type FieldValue,
  type UnitDefinition,
} from '../../../protocol/definition/index.js';
import { tokensOf } from './values.js';

/** One of the shared vectors of single fields: these octets are this value, or are refused. */
export interface FieldVector {
  readonly name: string;
  readonly type: FieldType;
  readonly hex: string;
  readonly value?: FieldValue;
  readonly error?: string;
}

export const fieldVectors = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'vectors', 'fields.json'), 'utf8'),
) as readonly FieldVector[];
const vectorTypes = [...new Set(fieldVectors.map(({ type }) => JSON.stringify(type)))];

/** A unit with a report for each type of the shared vectors. */
export function vectorUnit(): UnitDefinition {
  const reports = vectorTypes.map((text, index) => {
    const fields = { field: complete(JSON.parse(text) as FieldType) };
    return [`vector${index}`, { number: index + 1, fields }] as const;
  });
  return defineUnit({ name: 'vectors', version: '1', kind: 'read', reports: Object.fromEntries(reports) });
}

/** The report of {@link vectorUnit} that has this type, counted from 0. */
export const reportOf = ({ type }: FieldVector): number => vectorTypes.indexOf(JSON.stringify(type));

/** The vectors' types have what matters on the wire; a definition also has defaults. */
function complete(type: FieldType): FieldType {
  const defaults = { bool: false, rgb: '#000000', text: '', bytes: '', list: [] } as const;
  if (type.kind === 'oneOf') return { ...type, default: type.values[0]! };
  if (type.kind === 'list') return { ...type, item: complete(type.item) as ItemType, default: [] };
  if ('min' in type)
    return type.kind === 'f32' ? { ...type, default: type.min, decimals: 2 } : { ...type, default: type.min };
  return { ...type, default: defaults[type.kind] } as FieldType;
}

/** A vector's value as the probe reads and tells it. */
export const vectorTokens = (vector: FieldVector): string => tokensOf(complete(vector.type), vector.value as never);
