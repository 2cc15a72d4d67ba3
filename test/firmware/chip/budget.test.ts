import { beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { totalOf } from '../../../codegen/budget-parts.js';
import { measured } from '../../../codegen/esp8266-measured.js';
import { measuredKind, sizedParts } from '../../../codegen/esp8266-parts.js';
import { edgeUnits } from './edge-units.js';
import { minimalUnit } from './minimal-unit.js';
import { bareObjects, unitSizes } from './parts.js';
import { flashOf, ramOf, type Sizes } from './sections.js';

/** Variables and constants are laid at multiples of four and eight octets, and small ones come and go with the compiler's ways. */
const RAM_TOLERANCE = 32;
/** The flash that is told is an upper bound, by no more than this. */
const FLASH_EXCESS = 1.25;

const units = [
  ...[...(await loadDefinitions()).values()].map(({ definition }) => definition),
  minimalUnit,
  ...edgeUnits,
];
const linked = new Map<string, Sizes>();
beforeAll(async () => {
  const sizes = await unitSizes(await bareObjects(units));
  for (const [index, { name }] of units.entries()) linked.set(name, sizes[index]!);
}, 300_000);

describe.each(units.map((definition) => [definition.name, definition] as const))('%s', (name, definition) => {
  const { ram, flash } = sizedParts(definition);
  const fixed = measured[measuredKind(definition)];

  test('takes the RAM that is reckoned from its definition', () => {
    expect(Math.abs(fixed.ram + totalOf(ram) - ramOf(linked.get(name)!))).toBeLessThanOrEqual(RAM_TOLERANCE);
  });

  test('takes at most the flash that is reckoned from its definition, and not much less', () => {
    const octets = flashOf(linked.get(name)!);
    expect(octets).toBeLessThanOrEqual(fixed.flash + totalOf(flash));
    expect(fixed.flash + totalOf(flash)).toBeLessThanOrEqual(octets * FLASH_EXCESS);
  });
});
