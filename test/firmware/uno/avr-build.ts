import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { storedBuild } from '../../../codegen/build-store.js';
import { findProgram } from '../../../codegen/find-program.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { runProgram } from '../../../codegen/run-program.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';

export const root = join(import.meta.dirname, '..', '..', '..');
const runtime = join(root, 'firmware-templates', 'runtime');
/** Debian's package `arduino-core-avr`. */
const core = '/usr/share/arduino/hardware/arduino/avr';
const coreSources = join(core, 'cores', 'arduino');

/** As PlatformIO compiles for the board. */
const flags = [
  ...['-mmcu=atmega328p', '-DF_CPU=16000000L', '-DARDUINO=10819', '-DARDUINO_ARCH_AVR', '-DARDUINO_AVR_UNO'],
  ...['-Os', '-flto', '-ffunction-sections', '-fdata-sections', '-fno-exceptions', '-fno-threadsafe-statics'],
  ...[`-I${coreSources}`, `-I${join(core, 'variants', 'standard')}`],
];
const dialect = '-std=gnu++14';
/** What our own sources are compiled with. */
export const ownFlags = [...flags, dialect, '-Wall', '-Wextra', '-Werror', `-I${runtime}`];

/** A tool of the compiler's family: `g++`, `size`. Throws when it is not installed. */
export function avrTool(name: string): string {
  const path = findProgram([`avr-${name}`]);
  if (path === undefined)
    throw new Error('no compiler for the Arduino Uno: sudo apt install gcc-avr avr-libc arduino-core-avr');
  return path;
}

/** The runtime's sources that platformio.ini gives an Uno. */
async function unoSources(): Promise<string[]> {
  const ini = await readFile(join(root, 'platformio.ini'), 'utf8');
  const section = /^\[baseunit_uno\]\n([^[]*)/m.exec(ini)?.[1] ?? '';
  const found: string[] = [];
  for (const [, pattern] of section.matchAll(/\+<\.\.\/([^>]+)>/g)) {
    const [before, behind] = pattern!.split('*');
    const folder = join(root, dirname(`${before!}x`));
    const names = (await readdir(folder)).map((name) => join(folder, name));
    const isMeant = (path: string): boolean =>
      behind === undefined
        ? path === join(root, before!)
        : path.startsWith(join(root, before!)) && path.endsWith(behind);
    const meant = names.filter(isMeant);
    if (meant.length === 0) throw new Error(`platformio.ini names ${pattern}, and there is no such file`);
    found.push(...meant.sort());
  }
  return found;
}

/** Compiles sources and links them with runtime and core, or finds what came of the same. Gives the program's path. */
export async function avrProgram(
  name: string,
  sources: readonly string[],
  includes: readonly string[] = [],
): Promise<string> {
  const archives = [await runtimeArchive(), await coreArchive()];
  const headers = (await Promise.all([runtime, ...includes].map(headersBelow))).flat();
  const words = [await compilerIdentity(), ...ownFlags, ...includes, ...archives];
  return storedBuild(root, await hashOf(words, [...sources, ...headers]), `${name}.elf`, async (program) => {
    const args = [...ownFlags, ...includes.map((folder) => `-I${folder}`), ...sources, ...archives, '-lm'];
    await runOrThrow(avrTool('g++'), [...args, '-fuse-linker-plugin', '-Wl,--gc-sections', '-o', program]);
  });
}

/** What platformio.ini gives an Uno of the runtime. */
async function runtimeArchive(): Promise<string> {
  const sources = await unoSources();
  const words = [await compilerIdentity(), ...ownFlags];
  const hash = await hashOf(words, [...sources, ...(await headersBelow(runtime))]);
  return archive('libbaseunit.a', hash, sources, ownFlags);
}

/** The whole core. Its warnings are not ours. */
async function coreArchive(): Promise<string> {
  const names = (await readdir(coreSources)).filter((name) => /\.(c|cpp|S)$/.test(name)).sort();
  const sources = names.map((name) => join(coreSources, name));
  // Debian's avr-gcc keeps DECIMAL_DIG from C++; the core's String uses it.
  const coreFlags = [...flags, '-DDECIMAL_DIG=__DECIMAL_DIG__', '-w'];
  return archive('libarduino.a', await hashOf([await compilerIdentity(), ...coreFlags], sources), sources, coreFlags);
}

/** Compiled sources, of which the linker takes what a program needs. */
function archive(
  name: string,
  hash: string,
  sources: readonly string[],
  compilerFlags: readonly string[],
): Promise<string> {
  return storedBuild(root, hash, name, async (path) => {
    const objects = sources.map((_, index) => `${path}.${index}.o`);
    const left = [...sources.keys()];
    const work = async (): Promise<void> => {
      for (let index = left.shift(); index !== undefined; index = left.shift()) {
        const source = sources[index]!;
        const cpp = source.endsWith('.cpp') ? [dialect] : [];
        await runOrThrow(avrTool('gcc'), [...compilerFlags, ...cpp, '-c', source, '-o', objects[index]!]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    await runOrThrow(avrTool('gcc-ar'), ['rcs', path, ...objects]);
    await Promise.all(objects.map((object) => rm(object)));
  });
}

/** What the compiler says of a unit's generated firmware, by default with the sketch that is made for it; empty when it is content. */
export async function complaintAboutUno(definition: UnitDefinition, sketch?: string): Promise<string> {
  await mkdir(join(root, '.build'), { recursive: true });
  const home = await mkdtemp(join(root, '.build', 'uno-test-'));
  try {
    for (const { path, text } of generateUnit(definition, `units/${definition.name}.ts`)) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), path.endsWith('main.cpp') ? (sketch ?? text) : text);
    }
    const unit = join(home, 'firmware', definition.name);
    const args = [...ownFlags, '-fsyntax-only', `-I${join(unit, 'include')}`, join(unit, 'src', 'main.cpp')];
    const { exitCode, output } = await runProgram(avrTool('g++'), args, { cwd: root });
    return exitCode === 0 ? output : output || `exit code ${exitCode}`;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Octets of flash and of RAM that a linked program takes. */
export async function sizesOf(program: string): Promise<{ readonly flash: number; readonly ram: number }> {
  const table = await runOrThrow(avrTool('size'), ['-A', program]);
  const sections = new Map([...table.matchAll(/^(\.\w+)\s+(\d+)/gm)].map(([, name, octets]) => [name, Number(octets)]));
  const sum = (...names: string[]): number => names.reduce((all, name) => all + (sections.get(name) ?? 0), 0);
  return { flash: sum('.text', '.data'), ram: sum('.data', '.bss', '.noinit') };
}

async function compilerIdentity(): Promise<string> {
  const path = await realpath(avrTool('g++'));
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

async function headersBelow(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith('.h'))
    .sort()
    .map((name) => join(folder, name));
}

async function hashOf(words: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word}\0`);
  for (const file of files) hash.update(`${relative(root, file)}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 32);
}

async function runOrThrow(program: string, args: readonly string[]): Promise<string> {
  const { exitCode, output } = await runProgram(program, args, { cwd: root });
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')}\n${output}`);
  return output;
}
