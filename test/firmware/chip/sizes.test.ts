import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { totalOf } from '../../../codegen/budget-parts.js';
import type { MeasuredKind } from '../../../codegen/esp8266-measured.js';
import { sizedParts } from '../../../codegen/esp8266-parts.js';
import { ringOctets } from '../../../codegen/ring-octets.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { type ChipObject, root } from './chip-build.js';
import { everyType, heardLine, toldLine } from './edge-units.js';
import { framesOf, sectionsOf, sizesOf } from './objects.js';
import {
  bareObjects,
  exampleObjects,
  minimalObject,
  portObjects,
  runtimeObjects,
  runtimeSizes,
  type UnitObject,
  unitSizes,
} from './parts.js';
import { flashOf, ramOf } from './sections.js';
import { complaintsAbout, MAX_GROWTH, type Row, rowsIn, type Table, withTable } from './size-table.js';

const PAGE = join(root, 'docs', 'firmware-size.md');
const MEASURED = join(root, 'codegen', 'esp8266-measured.ts');
const ADVICE = 'If that is wanted: BASEUNIT_WRITE_SIZES=1 npx vitest run test/firmware/chip/sizes.test.ts';
/** Set to write the tables instead of checking them. */
const isWriting = process.env.BASEUNIT_WRITE_SIZES === '1';

let runtime: readonly ChipObject[];
let port: readonly ChipObject[];
let examples: readonly UnitObject[];
let minimal: UnitObject;
beforeAll(async () => {
  runtime = await runtimeObjects();
  port = await portObjects();
  examples = await exampleObjects();
  minimal = await minimalObject();
}, 300_000);

test('a session with one report and one command costs at most 1 KiB of RAM beside its ring', async () => {
  expect(ramOf(await runtimeSizes(minimal)) - ringOctets(minimal.definition)).toBeLessThanOrEqual(1024);
});

/** What a session costs, without the port and without HMAC. */
async function sessionTable(): Promise<Table> {
  const sizes = await runtimeSizes(minimal);
  const figures = [flashOf(sizes), ramOf(sizes) - ringOctets(minimal.definition)];
  return { columns: ['unit', 'flash', 'RAM beside the ring'], rows: [{ name: minimal.definition.name, figures }] };
}

async function objectTable(): Promise<Table> {
  const objects = [...runtime, ...port];
  const sections = await sectionsOf(objects);
  const rows: Row[] = [];
  for (const object of objects) {
    const { text, flashData, rodata, data, bss } = sizesOf(sections.get(object)!);
    const stack = Math.max(0, ...(await framesOf(object)).map(({ octets }) => octets));
    rows.push({ name: basename(object.source), figures: [text, flashData, rodata + data, bss, stack] });
  }
  return { columns: ['object', 'text', 'constants in flash', 'data', 'bss', 'stack'], rows };
}

async function unitTable(): Promise<Table> {
  const units = [minimal, ...examples];
  const sizes = await unitSizes(units);
  const rows = units.map(({ definition }, index): Row => {
    const figures = [flashOf(sizes[index]!), ramOf(sizes[index]!), ringOctets(definition)];
    return { name: definition.name, figures };
  });
  return { columns: ['unit', 'flash', 'RAM', 'of it the ring'], rows };
}

test.each([
  ['session', sessionTable],
  ['objects', objectTable],
  ['units', unitTable],
])('the %s have grown by no more than 2 % since docs/firmware-size.md was written', async (name, measure) => {
  const table = await measure();
  const page = readFileSync(PAGE, 'utf8');
  if (isWriting) writeFileSync(PAGE, withTable(page, name, table));
  const complaints = complaintsAbout(rowsIn(readFileSync(PAGE, 'utf8'), name), table);
  expect(complaints, [...complaints, ADVICE].join('\n')).toEqual([]);
});

/** The units whose figures are those of all of their kind. Flash: a unit with every type has all of the runtime. */
const references: Readonly<Record<MeasuredKind, UnitDefinition>> = {
  session: everyType,
  readLine: toldLine,
  updatableLine: heardLine,
};
const FLASH_TO_SPARE = 1.02;

test('budgets begin with what the runtime takes now', async () => {
  const now: Record<string, { ram: number; flash: number }> = {};
  const sizes = await unitSizes(await bareObjects(Object.values(references)));
  for (const [index, [kind, definition]] of Object.entries(references).entries()) {
    const { ram, flash } = sizedParts(definition);
    now[kind] = {
      ram: ramOf(sizes[index]!) - totalOf(ram),
      flash: Math.ceil((flashOf(sizes[index]!) - totalOf(flash)) * FLASH_TO_SPARE),
    };
  }
  if (isWriting) writeFileSync(MEASURED, withMeasured(readFileSync(MEASURED, 'utf8'), now));
  const page = readFileSync(MEASURED, 'utf8');
  for (const [kind, { ram, flash }] of Object.entries(now)) {
    const written = measuredIn(page, kind);
    expect(Math.abs(ram - written.ram), `${kind}: ${ram} octets of RAM. ${ADVICE}`).toBeLessThanOrEqual(16);
    expect(Math.abs(flash / written.flash - 1), `${kind}: ${flash} octets of flash. ${ADVICE}`).toBeLessThanOrEqual(
      0.02,
    );
  }
});

const lineOf = (kind: string): RegExp => new RegExp(`^ {2}${kind}: \\{ ram: (\\d+), flash: (\\d+) \\},$`, 'm');

function withMeasured(page: string, now: Readonly<Record<string, { ram: number; flash: number }>>): string {
  return Object.entries(now).reduce(
    (text, [kind, { ram, flash }]) => text.replace(lineOf(kind), `  ${kind}: { ram: ${ram}, flash: ${flash} },`),
    page,
  );
}

function measuredIn(page: string, kind: string): { ram: number; flash: number } {
  const [, ram, flash] = lineOf(kind).exec(page)!;
  return { ram: Number(ram), flash: Number(flash) };
}

describe('the table', () => {
  const table = (...figures: number[]): Table => ({
    columns: ['object', 'text', 'bss'],
    rows: [{ name: 'a', figures }],
  });
  const page = withTable(
    'before\n<!-- sizes of x: kept by test/firmware/chip/sizes.test.ts --><!-- end of sizes -->\nafter\n',
    'x',
    table(1000, 0),
  );

  test('is read as it was written, between what stands around it', () => {
    expect(rowsIn(page, 'x')).toEqual(table(1000, 0).rows);
    expect(withTable(page, 'x', table(1000, 0))).toBe(page);
    expect(page).toMatch(/^before\n[\s\S]*\nafter\n$/);
  });

  test('takes a growth of 2 % and not an octet more, and any shrinking', () => {
    expect(MAX_GROWTH).toBe(0.02);
    expect(complaintsAbout(rowsIn(page, 'x'), table(1020, 0))).toEqual([]);
    expect(complaintsAbout(rowsIn(page, 'x'), table(1, 0))).toEqual([]);
    expect(complaintsAbout(rowsIn(page, 'x'), table(1021, 0))).toEqual(['a: text grew from 1000 to 1021']);
    expect(complaintsAbout(rowsIn(page, 'x'), table(1000, 1))).toEqual(['a: bss grew from 0 to 1']);
  });

  test('misses rows that came and rows that went', () => {
    const other: Table = { columns: ['object', 'text'], rows: [{ name: 'b', figures: [1] }] };
    expect(complaintsAbout(rowsIn(page, 'x'), other)).toEqual(['b is new', 'a is gone']);
  });
});
