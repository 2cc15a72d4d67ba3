import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { baseunit, onlyJson, root, temporaryFolder } from './support/program.js';

const parts = [
  'base',
  'cli',
  'clients',
  'codegen',
  'dist',
  'firmware',
  'firmware-templates',
  'protocol',
  'scripts',
  'simulator',
];
const files = ['units', 'package.json', 'platformio.ini', 'tsconfig.json', 'tsconfig.build.json'];

/** Some octets of so many. */
const memory = (limit: number): unknown => ({ octets: expect.any(Number), limit });

/** A copy of the project that a test may change. */
function copyOfProject(): string {
  const copy = temporaryFolder();
  for (const name of [...parts, ...files]) {
    cpSync(join(root, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  }
  // The folders are new, what is in them is not: nothing is to be built.
  utimesSync(join(copy, 'dist', 'built'), new Date(), new Date());
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

test('generate --check: content with what is there, fails by name after a definition changed, until generate has written', async () => {
  const project = copyOfProject();
  const run = (...words: string[]) => baseunit(words, { project });
  const [fresh, nothing] = await Promise.all([run('generate', '--check'), run('generate', '--json')]);
  expect(fresh).toMatchObject({ code: 0, err: '' });
  expect(onlyJson(nothing)).toMatchObject({
    written: [],
    removed: [],
    units: expect.arrayContaining([
      {
        unit: 'led-lamp',
        boards: ['nodemcuv2', 'd1_mini'].map((board) => ({ board, ram: memory(61_440), flash: memory(1_044_464) })),
        messages: [
          { message: 'setColor', kind: 'command', octets: 22 },
          { message: 'fade', kind: 'command', octets: 24 },
          { message: 'state', kind: 'report', octets: 27 },
        ],
      },
    ]),
  });

  const definition = join(project, 'units', 'thermometer.ts');
  writeFileSync(definition, readFileSync(definition, 'utf8').replace('max: 85', 'max: 90'));
  const header = 'firmware/thermometer/include/thermometer.h';
  const stale = await run('generate', '--check');
  expect(stale).toMatchObject({ code: 2, out: '', err: expect.stringContaining(`${header}: differs`) });
  expect(stale.err).toMatch(/baseunit generate/);
  const [byJson, other, flashed] = await Promise.all([
    run('generate', '--check', '--json'),
    run('generate', '--check', 'led-lamp'),
    run('flash', 'thermometer', '--board', 'd1_mini'),
  ]);
  expect(onlyJson(byJson)).toMatchObject({ error: { code: 'firmware-stale' } });
  expect(other).toMatchObject({ code: 0 });
  expect(flashed).toMatchObject({ code: 2, err: expect.stringContaining(header) });

  const written = await run('generate', 'thermometer');
  expect(written).toMatchObject({ code: 0, out: expect.stringContaining(`wrote    ${header}`) });
  expect(written.out).toMatch(/^thermometer {2}d1_mini {4}\d+ of 61440 \(\d\d %\) +\d+ of 1044464 \(\d\d %\)$/m);
  expect(written.out).toMatch(/^thermometer {2}report reading {2}31$/m);
  expect(written.out).not.toContain('led-lamp');
  expect(onlyJson(await run('generate', '--check', '--json'))).toEqual({ fresh: true });
}, 60_000);

test('flash: says what is missing, hands over to PlatformIO, and its failure is ours', async () => {
  const project = copyOfProject();
  const bin = join(project, 'bin');
  mkdirSync(bin);
  const flash = (unit: string, board: string, ...more: string[]) =>
    baseunit(['flash', unit, '--board', board, ...more], { project, env: { PATH: bin, HOME: project } });
  const [unknownUnit, unknownBoard, noPlatformio] = await Promise.all([
    flash('led-lmp', 'd1_mini'),
    flash('led-lamp', 'uno'),
    flash('led-lamp', 'd1_mini'),
  ]);
  expect(unknownUnit).toMatchObject({ code: 2, err: expect.stringMatching(/defined are: .*led-lamp/) });
  expect(unknownBoard).toMatchObject({ code: 2, err: expect.stringMatching(/possible are: nodemcuv2, d1_mini/) });
  expect(noPlatformio).toMatchObject({ code: 2, err: expect.stringContaining('pipx install platformio') });

  const pio = join(bin, 'pio');
  writeFileSync(pio, '#!/bin/sh\necho "pio $*"\n');
  chmodSync(pio, 0o755);
  const flashed = await flash('led-lamp', 'd1_mini', '--json');
  expect(flashed).toMatchObject({ code: 0, err: expect.stringContaining('pio run -e led-lamp_d1_mini -t upload') });
  expect(onlyJson(flashed)).toEqual({ unit: 'led-lamp', board: 'd1_mini', flashed: true });
  writeFileSync(pio, '#!/bin/sh\nexit 9\n');
  expect(await flash('led-lamp', 'd1_mini')).toMatchObject({ code: 1 });
}, 60_000);
