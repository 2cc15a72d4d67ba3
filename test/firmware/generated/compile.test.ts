import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { buildNative } from '../../../codegen/native-build.js';
import { runProgram } from '../../../codegen/run-program.js';
import { defineUnit, oneOf, text, u8 } from '../../../protocol/definition/index.js';
import { anyUnit, lineUnits } from './definitions.js';
import { complaintAboutSketch, esp8266Flags, root } from './sketch.js';

const units = [...(await loadDefinitions()).keys()];

test.each(units)(
  '%s builds for this machine without a warning, plain and with sanitizers',
  async (unit) => {
    for (const sanitize of [false, true]) {
      const { program } = await buildNative(unit, { root, sanitize });
      const ran = await runProgram(program, ['--no-such-argument', 'x'], { cwd: root });
      expect(ran).toMatchObject({ exitCode: 2, output: expect.stringContaining('usage: --uid NAME') });
    }
  },
  120_000,
);

test('names in a definition survive the macros of the Arduino core', async () => {
  const wicked = defineUnit({
    name: 'wicked',
    version: '1',
    kind: 'read',
    commands: {
      bit: { number: 1, fields: { constrain: u8(), linux: oneOf(['HIGH', 'low', 'INPUT', 'B1', 'PI', 'DEFAULT']) } },
    },
    reports: { pi: { number: 2, fields: { a0: u8() } } },
  });
  const sketch = generateUnit(wicked, 'units/wicked.ts').find(({ kind }) => kind === 'once')!.text;
  expect(await complaintAboutSketch(wicked, `#include <Arduino.h>\n${sketch}`, esp8266Flags)).toBe('');
});

test('a description that ends with a backslash does not take the next line into its comment', async () => {
  const wicked = defineUnit({
    name: 'wicked',
    version: '1',
    kind: 'read',
    description: 'Lives in C:\\',
    commands: { clear: { number: 1, description: 'Clears C:\\', fields: { a0: u8() } } },
  });
  expect(await complaintAboutSketch(wicked)).toBe('');
});

test('the sketch made for a new unit compiles as it is, whatever the definition', async () => {
  await fc.assert(
    fc.asyncProperty(anyUnit('any-unit'), async (unit) => {
      expect(await complaintAboutSketch(unit)).toBe('');
    }),
    { numRuns: 12 },
  );
}, 120_000);

test('so does that of a line unit of every type, in both directions', async () => {
  for (const unit of lineUnits()) expect(await complaintAboutSketch(unit), unit.name).toBe('');
}, 120_000);

test('so do a unit without commands, one without reports, and one whose command is too large for the stack', async () => {
  const base = { name: 'edge', version: '1', kind: 'read' } as const;
  const report = { r: { number: 1, fields: { a: u8() } } };
  const command = { c: { number: 2, fields: { a: text(255), b: text(255) }, reply: { r: u8() } } };
  for (const unit of [
    defineUnit({ ...base, reports: report }),
    defineUnit({ ...base, commands: command }),
    defineUnit({ ...base, name: 'switch', reports: report, commands: command }),
  ]) {
    expect(await complaintAboutSketch(unit), JSON.stringify(unit)).toBe('');
  }
}, 60_000);
