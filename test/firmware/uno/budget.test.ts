import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { budgetsOf } from '../../../codegen/budget.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { defineUnit, text, type UnitDefinition } from '../../../protocol/definition/index.js';
import { lineUnits } from '../generated/definitions.js';
import { avrProgram, root, sizesOf } from './avr-build.js';
import { FLASH_OCTETS, RAM_OCTETS, STACK_OCTETS } from './chip.js';

/** A sketch that reports whatever its struct holds, or takes whatever it is commanded; no compiler can foresee either. */
const sketchOf = ({ kind }: UnitDefinition, header: string, namespace: string): string =>
  kind === 'read'
    ? `#include <${header}>
static ${namespace}::Unit unit;
${namespace}::It it;
void setup() { unit.begin(); }
void loop() {
  unit.loop();
  unit.report(it);
  __asm__ volatile("" : : "r"(&it) : "memory");
}
`
    : `#include <${header}>
${namespace}::It it;
struct Handlers {
  static bu::Answer it(const ${namespace}::It& command) {
    ::it = command;
    __asm__ volatile("" : : "r"(&::it) : "memory");
    return bu::Answer::ok();
  }
};
static ${namespace}::Unit<Handlers> unit;
void setup() { unit.begin(); }
void loop() { unit.loop(); }
`;

/** Links a unit; `own` is what the sketch itself has in RAM. */
async function linked(unit: UnitDefinition): Promise<{ flash: number; ram: number; own: number }> {
  const home = join(root, '.build', `uno-${unit.name}`);
  await mkdir(home, { recursive: true });
  const put = async (name: string, content: string): Promise<void> => {
    const file = join(home, name);
    if ((await readFile(file, 'utf8').catch(() => undefined)) !== content) await writeFile(file, content);
  };
  const header = generateUnit(unit, `units/${unit.name}.ts`).find(({ path }) => path.endsWith('.h'))!;
  const name = basename(header.path);
  await put(name, header.text);
  await put('main.cpp', sketchOf(unit, name, name.slice(0, -'.h'.length)));
  const own = Number(/sizeof\(It\) == (\d+)/.exec(header.text)?.[1]);
  return { ...(await sizesOf(await avrProgram(unit.name, [join(home, 'main.cpp')], [home]))), own };
}

const base = { version: '1', wire: 'line', boards: ['uno'] } as const;
const longest = text(255);
/** Those with the most code of their direction, and with the most memory. */
const largest = /^line-(out-(bool|f32)|in-(i32|f32|rgb))$/;
const units = [
  ...lineUnits().filter(({ name }) => largest.test(name)),
  defineUnit({
    ...base,
    name: 'line-out-longest',
    kind: 'read',
    reports: { it: { number: 1, everyMs: 100, fields: { longest } } },
  }),
  defineUnit({
    ...base,
    name: 'line-in-longest',
    kind: 'updatable',
    commands: { it: { number: 1, fields: { longest } } },
  }),
].map((unit): UnitDefinition => ({ ...unit, boards: ['uno'] }));

test.each(units)(
  '$name links for an Uno and takes no more than is reckoned, with room for the stack',
  async (unit) => {
    const { flash, ram, own } = await linked(unit);
    const [budget] = budgetsOf(unit);
    expect(ram - own).toBeLessThanOrEqual(budget!.ram.octets);
    expect(flash).toBeLessThanOrEqual(budget!.flash.octets);
    expect(ram).toBeLessThanOrEqual(RAM_OCTETS - STACK_OCTETS);
    expect(flash).toBeLessThanOrEqual(FLASH_OCTETS);
  },
  60_000,
);
