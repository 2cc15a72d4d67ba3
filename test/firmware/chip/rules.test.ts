import { beforeAll, expect, test } from 'vitest';
import type { ChipObject } from './chip-build.js';
import { edgeUnits } from './edge-units.js';
import { framesOf, type Section, sectionsOf } from './objects.js';
import { bareObjects, exampleObjects, minimalObject, portObjects, runtimeObjects } from './parts.js';

/** 4 KiB are the stack of a loop (reference/esp8266.md); the hash of the core alone goes 0.9 KiB deep. */
const MAX_FRAME_OCTETS = 256;

let shared: readonly ChipObject[];
let units: readonly ChipObject[];
let edges: readonly ChipObject[];
beforeAll(async () => {
  // The compiler's every warning is an error here: what this gives has compiled without one.
  shared = [...(await runtimeObjects()), ...(await portObjects())];
  edges = (await bareObjects(edgeUnits)).map(({ object }) => object);
  units = [...(await exampleObjects()), await minimalObject()].map(({ object }) => object);
}, 300_000);

test('no function needs more than 256 octets of stack, and none an amount that nobody knows', async () => {
  const frames = (await Promise.all([...shared, ...units, ...edges].map(framesOf))).flat();
  expect(frames.length).toBeGreaterThan(200);
  expect(frames.filter(({ octets, kind }) => octets > MAX_FRAME_OCTETS || kind !== 'static')).toEqual([]);
});

/** Constants, and variables that begin with something else than zero: on this chip both lie in RAM and take flash, too. */
const isInRam = ({ name }: Section): boolean => /^\.(rodata|data)\b/.test(name);

/** Tables of functions and references to them, which the code reads in place, and objects that begin with a value. */
const allowed = [
  ...['flash', 'store', 'hooks', 'uart'],
  ...['dialler', 'provisioning', 'serialLine', 'welcomedSlot', 'pauseMs'],
];
const isAllowed = ({ name }: Section): boolean =>
  allowed.some((variable) => name.endsWith(`${variable.length}${variable}E`));

test('the runtime and the port keep their constants and texts in flash', async () => {
  const sections = await sectionsOf(shared);
  const found = [...sections].flatMap(([{ source }, all]) =>
    all
      .filter((section) => isInRam(section) && !isAllowed(section))
      .map(({ name, octets }) => `${source}: ${name}, ${octets} octets`),
  );
  expect(found).toEqual([]);
});

test('so do the example sketches with their texts', async () => {
  const sections = await sectionsOf(units);
  const texts = [...sections].flatMap(([{ source }, all]) =>
    all.filter(({ name }) => /\.str1\./.test(name)).map(({ name }) => `${source}: ${name}`),
  );
  expect(texts).toEqual([]);
});
