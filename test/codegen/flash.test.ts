import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FlashOptions, flash } from '../../codegen/flash.js';
import { writeFirmware } from '../../codegen/write-firmware.js';
import { defineUnit, u8 } from '../../protocol/definition/index.js';

const fan = (max: number) =>
  defineUnit({
    name: 'fan',
    version: '1',
    kind: 'updatable',
    commands: { spin: { number: 1, fields: { speed: u8({ max }) } } },
  });
const definitions = new Map([['fan', { definition: fan(100), file: 'units/fan.ts' }]]);

let root: string;
let options: FlashOptions;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flash-'));
  await writeFirmware(root, definitions);
  options = { unit: 'fan', board: 'd1_mini', root, definitions, env: { PATH: join(root, 'bin'), HOME: root } };
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A PlatformIO that writes down what it was asked, and ends as told. */
async function installPio(exitCode: number): Promise<void> {
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin', 'pio'), `#!/bin/sh\necho "$PWD $*" > "${root}/asked"\nexit ${exitCode}\n`);
  await chmod(join(root, 'bin', 'pio'), 0o755);
  options = { ...options, env: { PATH: [join(root, 'bin'), process.env.PATH].join(delimiter), HOME: root } };
}

test('PlatformIO is asked to upload the environment of unit and board, in the project', async () => {
  await installPio(0);
  expect(await flash(options)).toEqual({ exitCode: 0 });
  expect(await readFile(join(root, 'asked'), 'utf8')).toBe(`${root} run -e fan_d1_mini -t upload\n`);
  await flash({ ...options, board: 'nodemcuv2', port: '/dev/ttyUSB7' });
  expect(await readFile(join(root, 'asked'), 'utf8')).toBe(
    `${root} run -e fan_nodemcuv2 -t upload --upload-port /dev/ttyUSB7\n`,
  );
});

test('an Uno is flashed with a unit that is for one', async () => {
  const lines = defineUnit({
    name: 'fan',
    version: '1',
    kind: 'updatable',
    wire: 'line',
    boards: ['uno'],
    commands: { spin: { number: 1, fields: { speed: u8() } } },
  });
  const forUno = new Map([['fan', { definition: lines, file: 'units/fan.ts' }]]);
  await installPio(0);
  await writeFirmware(root, forUno);
  expect(await flash({ ...options, definitions: forUno, board: 'uno' })).toEqual({ exitCode: 0 });
  expect(await readFile(join(root, 'asked'), 'utf8')).toBe(`${root} run -e fan_uno -t upload\n`);
  await expect(flash({ ...options, definitions: forUno, board: 'd1_mini' })).rejects.toThrow('possible are: uno');
});

test('its exit code is handed on', async () => {
  await installPio(3);
  expect(await flash(options)).toEqual({ exitCode: 3 });
});

test('without PlatformIO the message says exactly what to install', async () => {
  await expect(flash(options)).rejects.toMatchObject({
    code: 'tool-missing',
    message: expect.stringContaining('sudo apt install pipx && pipx install platformio && pipx ensurepath'),
  });
});

test('an unknown unit or board is refused with the possible ones', async () => {
  await expect(flash({ ...options, unit: 'fna' })).rejects.toMatchObject({
    code: 'definition-missing',
    message: "there is no unit 'fna'; defined are: fan",
  });
  for (const board of ['uno', 'native']) {
    await expect(flash({ ...options, board })).rejects.toMatchObject({
      code: 'config-invalid',
      message: `board '${board}' cannot be flashed with fan; possible are: nodemcuv2, d1_mini (\`boards\` in units/fan.ts)`,
    });
  }
});

test('what is flashed is what the definition says: stale files are refused, and nothing is flashed', async () => {
  await installPio(0);
  const changed = new Map([['fan', { definition: fan(99), file: 'units/fan.ts' }]]);
  await expect(flash({ ...options, definitions: changed })).rejects.toMatchObject({
    code: 'firmware-stale',
    message: expect.stringContaining('firmware/fan/include/fan.h: differs'),
  });
  await expect(readFile(join(root, 'asked'))).rejects.toThrow('ENOENT');
});
