import { styleText } from 'node:util';
import type { Fields, FieldType } from '../protocol/definition/index.js';

type Style = Parameters<typeof styleText>[0];

/** Colours only on a terminal, and never with `NO_COLOR` (no-color.org). */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return stream.isTTY === true && (process.env.NO_COLOR ?? '') === '' ? styleText(style, text) : text;
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
  if (typeof value === 'string') return harmless(type?.kind === 'text' ? JSON.stringify(value) : value);
  if (typeof value !== 'number') return JSON.stringify(value);
  const digits = type?.kind === 'f32' ? value.toFixed(type.decimals) : String(value);
  return type !== undefined && 'unit' in type && type.unit !== undefined ? `${digits} ${type.unit}` : digits;
}

/** A unit's text could steer the terminal: its control characters are shown, not sent. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced here
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}
