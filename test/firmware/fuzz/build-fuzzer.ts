import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { storedBuild } from '../../../codegen/build-store.js';
import { archiverOrThrow } from '../../../codegen/compiler.js';
import { findProgram } from '../../../codegen/find-program.js';
import { runProgram } from '../../../codegen/run-program.js';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = 'test/firmware/fuzz';
const runtime = 'firmware-templates/runtime';
/** Units whose generated headers the targets include. */
const units = ['rain-barrel'];

const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const flags = [
  '-std=gnu++17',
  ...['-Wall', '-Wextra', '-Werror', '-O1', '-g'],
  ...['-fno-exceptions', '-fno-rtti', '-funsigned-char'],
  ...sanitizers,
  `-I${runtime}`,
  ...units.map((unit) => `-Ifirmware/${unit}/include`),
];

/** What drives a target: clang's libFuzzer, or where that is missing our own `mutating_driver.cpp` over g++. */
export interface FuzzerKind {
  readonly name: 'libFuzzer' | 'mutating driver';
  readonly compiler: string;
  /** For what is to be watched. */
  readonly watched: readonly string[];
  readonly linked: readonly string[];
}

/** libFuzzer where clang has it, which takes more than the compiler. */
export async function fuzzerKind(): Promise<FuzzerKind> {
  const clang = findProgram(['clang++']);
  if (clang !== undefined && (await hasLibFuzzer(clang))) {
    return {
      name: 'libFuzzer',
      compiler: clang,
      watched: ['-fsanitize=fuzzer-no-link'],
      linked: ['-fsanitize=fuzzer'],
    };
  }
  const gcc = findProgram(['g++']);
  if (gcc === undefined) throw new Error('no g++ was found in PATH: sudo apt install g++');
  return { name: 'mutating driver', compiler: gcc, watched: ['-fsanitize-coverage=trace-pc,trace-cmp'], linked: [] };
}

async function hasLibFuzzer(clang: string): Promise<boolean> {
  const source = join(folder, 'planted_fault.cpp');
  const { exitCode } = await runProgram(clang, [...flags, '-fsanitize=fuzzer', source, '-o', '/dev/null'], {
    cwd: root,
  });
  return exitCode === 0;
}

/**
 * Compiles `test/firmware/fuzz/<target>.cpp`, which has LLVMFuzzerTestOneInput, or finds what was compiled from the same.
 * Gives the program's path. What the target has functions of its own for is not taken from the runtime.
 */
export async function buildFuzzer(kind: FuzzerKind, target: string): Promise<string> {
  // Whatever watches must not be watched itself.
  const drivers = kind.name === 'libFuzzer' ? [] : [`${folder}/mutating_driver.cpp`];
  const archive = await buildRuntime(kind);
  const source = `${folder}/${target}.cpp`;
  return storedBuild(root, hashOf(kind, [source, ...drivers, ...headers(), archive]), target, async (program) => {
    const objects = await objectsOf(kind, program, [
      [source, kind.watched],
      ...drivers.map((file) => [file, []] as const),
    ]);
    await compile(kind.compiler, [...sanitizers, ...kind.linked, ...objects, archive, '-o', program]);
  });
}

/** The portable runtime, watched: compiled once for all targets. */
async function buildRuntime(kind: FuzzerKind): Promise<string> {
  const sources = filesIn(runtime, '.cpp');
  return storedBuild(root, hashOf(kind, [...sources, ...headers()]), 'libwatched.a', async (archive) => {
    const objects = await objectsOf(
      kind,
      archive,
      sources.map((file) => [file, kind.watched] as const),
    );
    await compile(archiverOrThrow(), ['rcs', archive, ...objects]);
    await Promise.all(objects.map((object) => rm(object)));
  });
}

const headers = (): string[] =>
  [runtime, ...units.map((unit) => `firmware/${unit}/include`)].flatMap((each) => filesIn(each, '.h'));

function hashOf(kind: FuzzerKind, files: readonly string[]): string {
  const hash = createHash('sha256').update([kind.compiler, ...kind.watched, ...flags].join('\0'));
  for (const file of files) hash.update(`${basename(file)}\0`).update(readFileSync(resolve(root, file)));
  return hash.digest('hex').slice(0, 32);
}

/** Compiles these, each with flags of its own, two at a time. */
async function objectsOf(
  kind: FuzzerKind,
  beside: string,
  sources: readonly (readonly [file: string, more: readonly string[]])[],
): Promise<string[]> {
  const left = [...sources];
  const objects: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [file, more] = next;
      const object = `${beside}.${basename(file)}.o`;
      objects.push(object);
      await compile(kind.compiler, [...flags, ...more, '-c', file, '-o', object]);
    }
  };
  await Promise.all([work(), work()]);
  return objects;
}

async function compile(compiler: string, args: readonly string[]): Promise<void> {
  const { exitCode, output } = await runProgram(compiler, args, { cwd: root });
  if (exitCode !== 0) throw new Error(output);
}

/** Of the folder itself, not of those below it. */
const filesIn = (where: string, ending: string): string[] =>
  readdirSync(join(root, where))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => `${where}/${name}`);
