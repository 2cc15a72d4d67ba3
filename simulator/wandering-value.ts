import type { Random } from '../base/core/random.js';
import type { FieldType, FieldValue } from '../protocol/definition/index.js';

/** A range wider than this says nothing about what is plausible: values then stay near zero, within this band. */
const MAX_PLAUSIBLE_SPAN = 10_000;
const NARROW_SPAN = 100;
/** A number moves by at most this share of its range from one measurement to the next. */
const STEP_SHARE = 0.01;
/** A bool or oneOf changes about once in ten measurements. */
const CHANGE_SHARE = 0.1;
/** Items of a list, where it may have as many. */
const LIST_ITEMS = 2;

/** A plausible first measurement: for numbers near the middle of their range, else the default. Inside the field's range. */
export function firstValue(type: FieldType, random: Random): FieldValue {
  if (type.kind === 'list')
    return Array.from({ length: Math.min(LIST_ITEMS, type.maxItems) }, () => firstValue(type.item, random));
  if (!('min' in type)) return type.default;
  const { low, high } = plausible(type.min, type.max);
  return fitted(type, low + (high - low) * (0.4 + 0.2 * random.fraction()));
}

/** The measurement after `value`: a little different, inside the field's range. What people set (colours, texts) stays. */
export function nextValue(type: FieldType, value: FieldValue, random: Random): FieldValue {
  switch (type.kind) {
    case 'bool':
      return random.fraction() < CHANGE_SHARE ? !value : value;
    case 'oneOf':
      return random.fraction() < CHANGE_SHARE
        ? type.values[Math.floor(random.fraction() * type.values.length)]!
        : value;
    case 'list':
      return (value as readonly FieldValue[]).map((item) => nextValue(type.item, item, random));
    case 'rgb':
    case 'text':
    case 'bytes':
      return value;
    default: {
      const { low, high } = plausible(type.min, type.max);
      const most = type.kind === 'f32' ? (high - low) * STEP_SHARE : Math.max(1, (high - low) * STEP_SHARE);
      return fitted(type, (value as number) + (2 * random.fraction() - 1) * most);
    }
  }
}

function plausible(min: number, max: number): { readonly low: number; readonly high: number } {
  if (max - min <= MAX_PLAUSIBLE_SPAN) return { low: min, high: max };
  const low = Math.min(Math.max(0, min), max);
  return low === max ? { low: max - NARROW_SPAN, high: max } : { low, high: Math.min(max, low + NARROW_SPAN) };
}

function fitted(type: Extract<FieldType, { readonly min: number }>, value: number): number {
  const rounded = type.kind === 'f32' ? Number(value.toFixed(type.decimals)) : Math.round(value);
  return Math.min(Math.max(rounded, type.min), type.max);
}
