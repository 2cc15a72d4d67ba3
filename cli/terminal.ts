import { styleText } from 'node:util';
import type { Fields, FieldType } from '../protocol/definition/index.js';

type Style = Parameters<typeof styleText>[0];

/** Colours only on a terminal, and never with `NO_COLOR` (no-color.org). */
const hasColour = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '';

export function styled(style: Style, text: string): string {
  return hasColour ? styleText(style, text) : text;
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A value as one line of JSON, for `--json`. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Rows under headings, each column as wide as its widest cell. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  print(styled('bold', line(headings)));
  for (const row of rows) print(line(row));
}

/** `temperature 21.5 °C, humidity 48 %`; without the fields' types bare values. */
export function fieldsText(values: Readonly<Record<string, unknown>>, fields: Fields = {}): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${valueText(value, fields[name])}`)
    .join(', ');
}

function valueText(value: unknown, type: FieldType | undefined): string {
  if (type?.kind === 'list' && Array.isArray(value))
    return `[${value.map((item) => valueText(item, type.item)).join(', ')}]`;
  if (typeof value === 'string') return type?.kind === 'text' ? JSON.stringify(value) : value;
  if (typeof value !== 'number') return JSON.stringify(value);
  const digits = type?.kind === 'f32' ? value.toFixed(type.decimals) : String(value);
  return type !== undefined && 'unit' in type && type.unit !== undefined ? `${digits} ${type.unit}` : digits;
}
