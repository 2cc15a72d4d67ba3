import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  bool,
  bytes,
  type FieldType,
  f32,
  i8,
  i16,
  i32,
  integerTypes,
  list,
  octetsOf,
  oneOf,
  rgb,
  text,
  u8,
  u16,
  u32,
} from '../../protocol/definition/index.js';
import { codeIn, root, tableRows } from './support/documents.js';
import { loadShownDefinitions, type ShownDefinitions } from './support/shown-definitions.js';

let shown: ShownDefinitions;

beforeAll(async () => {
  shown = await loadShownDefinitions();
});
afterAll(() => shown.remove());

test('every definition that a document shows is one', () => {
  expect(shown.shown.length).toBeGreaterThan(2);
  for (const name of shown.shown) expect([...shown.definitions.keys()]).toContain(name);
});

test('every TypeScript block passes the type check', () => {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', shown.folder], { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

const N = 9;
const everyType: Readonly<Record<string, FieldType>> = {
  'bool()': bool(),
  'u8()': u8(),
  'i8()': i8(),
  'u16()': u16(),
  'i16()': i16(),
  'u32()': u32(),
  'i32()': i32(),
  'f32()': f32(),
  'rgb()': rgb(),
  "oneOf(['a', 'b'])": oneOf(['a', 'b']),
  'text(n)': text(N),
  'bytes(n)': bytes(N),
  'list(type, n)': list(u16(), N),
};

test('the table of field types has each, with its range, its default and its octets on the wire', () => {
  const rows = tableRows('docs/definitions.md', 'Field types').filter(([first]) => first?.includes('('));
  expect(rows.map(([first]) => codeIn(first)).sort()).toEqual(Object.keys(everyType).sort());
  for (const [first, , range, standard, octets] of rows) {
    const type = everyType[codeIn(first)!]!;
    const { min, max } = octetsOf(type);
    const most = { text: '1 + n', bytes: '1 + n', list: '1 + n × item' }[type.kind as string];
    expect(octets, first).toBe(most === undefined ? String(max) : `${min} to ${most}`);
    if (type.kind in integerTypes) {
      const own = integerTypes[type.kind as keyof typeof integerTypes];
      expect(range, first).toBe(`${own.min} to ${own.max}`);
    }
    const value = codeIn(standard);
    if (value !== undefined) expect(JSON.parse(value), first).toEqual(type.default);
  }
});
