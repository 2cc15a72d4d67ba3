import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadDefinitions } from '../../base/config/definitions.js';
import { generateUnit } from '../../codegen/generate-unit.js';
import {
  checkFirmware,
  type DefinitionsByName,
  FirmwareStaleError,
  writeFirmware,
} from '../../codegen/write-firmware.js';
import { defineUnit, type UnitDefinition, u8 } from '../../protocol/definition/index.js';
import { anyUnit } from '../firmware/generated/definitions.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firmware-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const fan = (max: number): UnitDefinition =>
  defineUnit({
    name: 'fan',
    version: '1',
    kind: 'updatable',
    commands: { spin: { number: 1, fields: { speed: u8({ max }) } } },
  });
const pump = defineUnit({
  name: 'pump',
  version: '1',
  kind: 'read',
  reports: { flow: { number: 1, fields: { a: u8() } } },
});

function byName(...definitions: readonly UnitDefinition[]): DefinitionsByName {
  return new Map(
    definitions.map((definition) => [definition.name, { definition, file: `units/${definition.name}.ts` }]),
  );
}

async function stale(definitions: DefinitionsByName, only?: readonly string[]): Promise<FirmwareStaleError> {
  const error = await checkFirmware(root, definitions, only === undefined ? {} : { only }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FirmwareStaleError);
  return error as FirmwareStaleError;
}

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}
/** What was generated once, and is not any more. */
const GENERATED = '// Generated from units/fan.ts by `baseunit generate`. Do not edit.\n#pragma once\n';
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

test('the firmware in this repository is what its definitions say', async () => {
  await checkFirmware(join(import.meta.dirname, '..', '..'), await loadDefinitions());
});

test('the first run writes everything, the second finds nothing to do', async () => {
  const first = await writeFirmware(root, byName(fan(100), pump));
  expect(first.written).toEqual([
    'firmware/fan/include/fan.h',
    'firmware/fan/src/main.cpp',
    'firmware/pump/include/pump.h',
    'firmware/pump/src/main.cpp',
    'platformio.ini',
  ]);
  expect(await writeFirmware(root, byName(fan(100), pump))).toEqual({ written: [], removed: [], unchanged: 5 });
  await checkFirmware(root, byName(fan(100), pump));
});

test('every generated file says where it comes from and that it is not to be edited', async () => {
  for (const { path, kind, text } of generateUnit(fan(100), 'units/fan.ts')) {
    if (kind === 'generated') {
      expect(text.split('\n')[0], path).toBe('// Generated from units/fan.ts by `baseunit generate`. Do not edit.');
    }
    expect(text, path).not.toMatch(/[ \t]\n|\n\n\n|\r/);
    expect(text.endsWith('\n'), path).toBe(true);
  }
});

test('the check names each file that differs, is missing or is left over, and writes nothing', async () => {
  await writeFirmware(root, byName(fan(100), pump));
  await put('firmware/pump/include/pump.h', '// edited\n');
  await put('firmware/fan/include/older.h', GENERATED);
  await rm(join(root, 'firmware/fan/src/main.cpp'));
  const error = await stale(byName(fan(100), pump));
  expect(error.code).toBe('firmware-stale');
  expect(error.differences).toEqual([
    { path: 'firmware/fan/include/older.h', what: 'left over' },
    { path: 'firmware/fan/src/main.cpp', what: 'missing' },
    { path: 'firmware/pump/include/pump.h', what: 'differs' },
  ]);
  for (const { path } of error.differences) expect(error.message).toContain(path);
  await expect(writeFirmware(root, byName(fan(100), pump), { check: true })).rejects.toBeInstanceOf(FirmwareStaleError);
  expect(await read('firmware/pump/include/pump.h')).toBe('// edited\n');
});

test('a changed definition makes its header and nothing else stale', async () => {
  await writeFirmware(root, byName(fan(100), pump));
  expect((await stale(byName(fan(99), pump))).differences).toEqual([
    { path: 'firmware/fan/include/fan.h', what: 'differs' },
  ]);
  await checkFirmware(root, byName(fan(99), pump), { only: ['pump'] });
});

test("a unit that is gone: its generated files are left over, then removed; the user's own stay", async () => {
  await writeFirmware(root, byName(fan(100), pump));
  await put('firmware/pump/include/pins.h', '// mine\n');
  const left = ['firmware/pump/include/pump.h'];
  expect((await stale(byName(fan(100)))).differences).toEqual([
    ...left.map((path) => ({ path, what: 'left over' })),
    { path: 'platformio.ini', what: 'differs' },
  ]);
  expect((await writeFirmware(root, byName(fan(100)))).removed).toEqual(left);
  expect(await read('firmware/pump/include/pins.h')).toBe('// mine\n');
  expect(await read('firmware/pump/src/main.cpp')).toContain('pump');
  await checkFirmware(root, byName(fan(100)));
});

test('of a project from when there was a secrets.h, the example goes, and the copy with the secrets stays', async () => {
  await writeFirmware(root, byName(fan(100)));
  await put('firmware/fan/include/secrets.example.h', GENERATED);
  await put('firmware/fan/include/secrets.h', GENERATED);
  expect((await writeFirmware(root, byName(fan(100)))).removed).toEqual(['firmware/fan/include/secrets.example.h']);
  expect(await read('firmware/fan/include/secrets.h')).toBe(GENERATED);
  await checkFirmware(root, byName(fan(100)));
});

test('a main.cpp is created once and never touched again, nor compared', async () => {
  await writeFirmware(root, byName(fan(100)));
  const path = join(root, 'firmware/fan/src/main.cpp');
  await writeFile(path, '// mine now\n');
  await utimes(path, 1, 1);
  await checkFirmware(root, byName(fan(100)));
  await writeFirmware(root, byName(fan(7)));
  expect(await readFile(path, 'utf8')).toBe('// mine now\n');
  expect((await stat(path)).mtimeMs).toBe(1_000);
});

test('one unit alone can be written; the project file is about all', async () => {
  const result = await writeFirmware(root, byName(fan(100), pump), { only: ['pump'] });
  expect(result.written).toEqual(['firmware/pump/include/pump.h', 'firmware/pump/src/main.cpp', 'platformio.ini']);
  expect(await read('platformio.ini')).toContain('[env:fan_d1_mini]');
});

test('an unknown unit is refused with the names there are', async () => {
  await expect(writeFirmware(root, byName(fan(100), pump), { only: ['pmup'] })).rejects.toMatchObject({
    code: 'definition-missing',
    message: "there is no unit 'pmup'; defined are: fan, pump",
  });
});

test('the same definition gives the same octets; neither the day nor the place is in them', () => {
  fc.assert(
    fc.property(anyUnit('any'), (unit) => {
      const files = generateUnit(unit, 'units/any.ts');
      expect(generateUnit(unit, 'units/any.ts')).toEqual(files);
      expect(generateUnit(structuredClone(unit), 'units/any.ts')).toEqual(files);
      for (const { text } of files) {
        expect(text).not.toContain(process.cwd());
        expect(text).not.toMatch(/\b20\d\d-\d\d/);
      }
    }),
    { numRuns: 50 },
  );
});
