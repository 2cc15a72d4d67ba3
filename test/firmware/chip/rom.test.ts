import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storedBuild } from '../../../codegen/build-store.js';
import { compilerOrThrow } from '../../../codegen/compiler.js';
import { runProgram } from '../../../codegen/run-program.js';
import { root } from './chip-build.js';

const rom = join(import.meta.dirname, 'rom');
const sources = ['rom_integers.cpp', 'rom_floats.cpp', join('check', 'rom_check.cpp')].map((name) => join(rom, name));
const flags = ['-std=gnu++17', '-O2', '-Wall', '-Wextra', '-Werror', `-I${rom}`];

test('the arithmetic that the emulated chip lacks is, to the bit, that of this machine', async () => {
  const { path, identity } = compilerOrThrow();
  const hash = createHash('sha256').update([identity, ...flags].join());
  for (const file of [...sources, join(rom, 'rom.h')]) hash.update(readFileSync(file));
  const program = await storedBuild(root, hash.digest('hex').slice(0, 32), 'rom-check', async (made) => {
    const compiled = await runProgram(path, [...flags, ...sources, '-o', made], { cwd: root });
    expect(compiled).toEqual({ exitCode: 0, output: '' });
  });
  const { exitCode, output } = await runProgram(program, [], { cwd: root });
  expect(output).toMatch(/^\d{7} equal\n$/);
  expect(exitCode).toBe(0);
}, 60_000);
