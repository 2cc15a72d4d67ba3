import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock, systemRandom } from '../../base/system.js';
import { buildProgram } from '../../codegen/native-build.js';
import { writeFirmware } from '../../codegen/write-firmware.js';
import { boards } from '../../protocol/definition/index.js';
import { simulate } from '../../simulator/simulate.js';
import { eventually, startHouse, temporaryFolder } from '../end-to-end/support/house.js';
import { blocks, codeIn, root, tableRows } from './support/documents.js';
import { loadShownDefinitions, type ShownDefinitions } from './support/shown-definitions.js';

let shown: ShownDefinitions;

beforeAll(async () => {
  shown = await loadShownDefinitions();
  await writeFirmware(shown.folder, shown.definitions, { only: ['desk-fan', 'led-lamp'] });
});
afterAll(() => shown.remove());

const blockWith = (text: string, document: string): string =>
  blocks('cpp', [document]).find((block) => block.text.includes(text))!.text;

/** Compiles a sketch of a unit for this machine. */
async function build(unit: string, sketch: string): Promise<string> {
  const home = join(shown.folder, 'firmware', unit);
  const main = join(home, 'src', 'main.cpp');
  writeFileSync(main, sketch);
  const header = join(home, 'include', `${unit.replaceAll('-', '_')}.h`);
  return buildProgram(unit, { root, sources: [main], headers: [header], includes: [join(home, 'include')] });
}

test("the README's unit compiles as it is shown, reports, and obeys", async () => {
  const program = await build('desk-fan', blockWith('#include <desk_fan.h>', 'README.md'));
  const simulation = await simulate({
    definition: shown.definitions.get('desk-fan')!.definition,
    uid: 'office-fan',
    firmware: { program, stateFolder: temporaryFolder() },
    clock: systemClock,
    random: systemRandom,
  });
  onTestFinished(() => simulation.stop());
  const configuration = { units: { known: simulation.known() } };
  const { base } = await startHouse(configuration, shown.definitions);

  await eventually('a reading', () => base.router.get('office-fan')?.last.climate !== undefined);
  expect(base.router.get('office-fan')?.last.climate?.fields).toEqual({ temperature: 21.5 });
  const request = { id: 'c-1', unit: 'office-fan', command: 'setSpeed', fields: { speed: 60 }, source: 'test' };
  expect(await base.router.command(request)).toMatchObject({ outcome: 'ok' });
});

test('the handlers and the calls of docs/firmware.md compile as they are shown', async () => {
  const board = '#include <led_lamp.h>\nstatic void analogWrite(int, int) {}\n';
  const calls = tableRows('docs/firmware.md', 'Telling reports')
    .map(([first]) => codeIn(first))
    .filter((call) => call?.endsWith(')') && /^(unit\.|bu::port)/.test(call))
    .map((call) => `  (void)${call};\n`);
  expect(calls.length).toBeGreaterThan(5);
  const loop = `void loop() {\n  unit.loop();\n  static bu::Every isDue(5000);\n  if (!isDue.isDue()) return;\n${calls.join('')}`;
  const report = '  if (unit.report(led_lamp::State()) != bu::Refusal::none) return;\n}\n';
  const rest = `void setup() { unit.begin(); }\n${loop}${report}`;
  await build('led-lamp', board + blockWith('struct Lamp', 'docs/firmware.md') + rest);
});

test('the table of boards has every board that can be flashed', () => {
  const documented = tableRows('docs/firmware.md', 'Boards').map(([first]) => /^`<unit>_(\w+)`$/.exec(first!)?.[1]);
  expect(documented.filter((name) => name !== undefined).sort()).toEqual([...boards, 'native'].sort());
});
