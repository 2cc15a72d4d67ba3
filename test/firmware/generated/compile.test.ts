import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { buildNative } from '../../../codegen/native-build.js';
import { runProgram } from '../../../codegen/run-program.js';
import { defineUnit, oneOf, text, u8 } from '../../../protocol/definition/index.js';
import { anyUnit, lineUnits } from './definitions.js';
import { complaintAbout, complaintAboutSketch, esp8266Flags, root } from './sketch.js';

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

test.each(units)(
  '%s compiles for the ESP8266, and its secrets fit the port',
  async (unit) => {
    const home = join(root, 'firmware', unit);
    const flags = [...esp8266Flags, `-I${join(home, 'include')}`];
    expect(await complaintAbout(join(home, 'src', 'main.cpp'), flags)).toBe('');
    // The port takes secrets.h; here the example is one.
    const secrets = await mkdtemp(join(tmpdir(), 'secrets-'));
    try {
      await copyFile(join(home, 'include', 'secrets.example.h'), join(secrets, 'secrets.h'));
      const port = join(root, 'firmware-templates', 'runtime', 'port', 'esp8266', 'esp8266_identity.cpp');
      expect(await complaintAbout(port, [...esp8266Flags, `-I${secrets}`])).toBe('');
    } finally {
      await rm(secrets, { recursive: true, force: true });
    }
  },
  60_000,
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
