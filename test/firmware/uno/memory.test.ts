import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { avrProgram, root, sizesOf } from './avr-build.js';
import { FLASH_OCTETS, RAM_OCTETS, STACK_OCTETS } from './chip.js';
import { documentedFigures, TOLERANCE } from './documented.js';

const units = [...(await loadDefinitions()).values()]
  .map(({ definition }) => definition)
  .filter(({ boards }) => boards.includes('uno'));

test('two of the example units are for an Uno', () => {
  expect(units.map(({ name }) => name).sort()).toEqual(['led-lamp-line', 'light-sensor']);
});

test.each(units)(
  '$name links for an Uno with the real core, without a warning, and leaves room for the stack',
  async ({ name }) => {
    const home = join(root, 'firmware', name);
    const program = await avrProgram(name, [join(home, 'src', 'main.cpp')], [join(home, 'include')]);
    const { flash, ram } = await sizesOf(program);
    expect(ram).toBeLessThanOrEqual(RAM_OCTETS - STACK_OCTETS);
    expect(flash).toBeLessThanOrEqual(FLASH_OCTETS);
    const documented = documentedFigures(name);
    for (const [what, octets] of [
      ['flash', flash],
      ['ram', ram],
    ] as const) {
      const saying = `${what}: docs/firmware.md, "Arduino Uno", says ${documented[what]}; it is ${octets} now`;
      expect(octets, saying).toBeLessThanOrEqual(documented[what] * TOLERANCE);
      expect(octets * TOLERANCE, saying).toBeGreaterThanOrEqual(documented[what]);
    }
  },
  60_000,
);
