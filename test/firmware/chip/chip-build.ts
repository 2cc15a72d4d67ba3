import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { storedBuild } from '../../../codegen/build-store.js';
import { findProgram } from '../../../codegen/find-program.js';
import { runProgram } from '../../../codegen/run-program.js';

export const root = join(import.meta.dirname, '..', '..', '..');
export const runtimeFolder = join(root, 'firmware-templates', 'runtime');
const stubs = join(root, 'test', 'firmware', 'stubs');
const pins = join(root, 'test', 'firmware', 'generated', 'pins');
const support = join(import.meta.dirname, 'support');

/** As PlatformIO compiles for the chip, and stricter. Functions and variables are apart, so that the linker can leave them out. */
const flags = [
  ...['-std=gnu++17', '-Os', '-mlongcalls', '-fno-exceptions', '-fno-rtti', '-funsigned-char'],
  ...['-ffunction-sections', '-fdata-sections', '-fstack-usage', '-Wall', '-Wextra', '-Werror'],
  ...['-DARDUINO=10819', '-DARDUINO_ARCH_ESP8266', '-isystem', pins, '-isystem', stubs],
  ...[`-I${runtimeFolder}`, `-I${support}`],
];

/** One compiled source. */
export interface ChipObject {
  /** From the project's root. */
  readonly source: string;
  /** Paths of the object, and of what `-fstack-usage` says of it. */
  readonly object: string;
  readonly stackUsage: string;
}

/** A tool of the compiler's family: `g++`, `size`. Throws when it is not installed. */
export function chipTool(name: string): string {
  const path = findProgram([`xtensa-lx106-elf-${name}`]);
  if (path === undefined)
    throw new Error('no compiler for the ESP8266: sudo apt install gcc-xtensa-lx106 picolibc-xtensa-lx106-elf');
  return path;
}

/** The files of a folder with that ending, not of those below it, sorted. */
export function filesIn(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

function headersBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .sort()
    .map((name) => join(folder, name));
}

/** Compiles sources for the chip, or finds what was compiled of the same. Rejects with what the compiler says. */
export async function chipObjects(
  sources: readonly string[],
  includes: readonly string[] = [],
  more: readonly string[] = [],
): Promise<readonly ChipObject[]> {
  const compiler = chipTool('g++');
  const words = [...flags, ...more, ...includes.map((folder) => `-I${folder}`)];
  const headers = [runtimeFolder, stubs, pins, support, ...includes].flatMap(headersBelow);
  const hash = hashOf(words, [...sources, ...headers]);
  const nameOf = (source: string): string => relative(root, source).replaceAll(/[^A-Za-z0-9.]/g, '_');
  const done = await storedBuild(root, hash, 'objects', async (marker) => {
    const folder = dirname(marker);
    const left = [...sources];
    const work = async (): Promise<void> => {
      for (let source = left.shift(); source !== undefined; source = left.shift()) {
        const args = [...words, '-c', relative(root, source), '-o', join(folder, `${nameOf(source)}.o`)];
        await runOrThrow(compiler, args);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    await runOrThrow('touch', [marker]);
  });
  return sources.map((source) => ({
    source: relative(root, source),
    object: join(dirname(done), `${nameOf(source)}.o`),
    stackUsage: join(dirname(done), `${nameOf(source)}.su`),
  }));
}

const script = join(support, 'chip.ld');
const linkFlags = ['-nostdlib', '-Wl,--gc-sections', '-Wl,--fatal-warnings', `-T${script}`];

/** Links objects, and what they need of the C library, to a program for the emulated chip. Gives its path. */
export function chipProgram(name: string, objects: readonly ChipObject[]): Promise<string> {
  const files = objects.map(({ object }) => object);
  const hash = hashOf([name, ...linkFlags], [...files, script]);
  return storedBuild(root, hash, name, (program) =>
    runOrThrow(chipTool('g++'), [...linkFlags, ...files, '-lc', '-lgcc', '-o', program]),
  );
}

/**
 * Links objects without what is not ours: the core, the C library. What no path from the sketch leads to is left out, as
 * on the chip. Writes the linker's map.
 */
export async function writeMap(map: string, objects: readonly ChipObject[]): Promise<void> {
  const sketch = ['-Wl,-e,setup', '-Wl,-u,loop', '-Wl,--unresolved-symbols=ignore-all'];
  const files = objects.map(({ object }) => object);
  const more = [...sketch, '-Wl,--defsym=is_only_measured=1', `-Wl,-Map=${map}`];
  await runOrThrow(chipTool('g++'), [...linkFlags, ...files, ...more, '-o', `${map}.elf`]);
}

/** What was made of these objects, whoever makes it: see `storedBuild`. */
export function madeOf(
  name: string,
  objects: readonly ChipObject[],
  make: (file: string) => Promise<void>,
): Promise<string> {
  const files = objects.map(({ object }) => object);
  return storedBuild(root, hashOf([name, ...linkFlags], [...files, script]), name, make);
}

async function runOrThrow(program: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runProgram(program, args, { cwd: root });
  if (exitCode !== 0 || output !== '') throw new Error(`${basename(program)} ${args.at(-1)}:\n${output.trimEnd()}`);
}

function hashOf(words: readonly string[], files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word.replaceAll(root, '')}\0`);
  for (const file of files) hash.update(`${relative(root, file)}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 32);
}
