import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { BaseUnitError } from '../protocol/errors.js';
import { storedBuild } from './build-store.js';
import { archiverOrThrow, type Compiler, compilerOrThrow } from './compiler.js';
import { runProgram } from './run-program.js';

/** What every build of ours is compiled with; PlatformIO's own flags for the chip are the same dialect. */
export const commonFlags = [
  '-std=gnu++17',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-fno-exceptions',
  '-fno-rtti',
  // As on the chip, where plain char is unsigned.
  '-funsigned-char',
] as const;
const plainFlags = ['-Os'];
const sanitizeFlags = [
  '-O1',
  '-g',
  '-fno-omit-frame-pointer',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
];

export interface NativeBuildOptions {
  /** The project's root, with `firmware/` and `firmware-templates/` in it. */
  readonly root: string;
  /** With address and undefined-behaviour sanitizers, which end the program at the first fault. */
  readonly sanitize?: boolean;
  readonly compiler?: Compiler;
  readonly signal?: AbortSignal;
}

/**
 * Builds a unit's firmware as a program of this machine, `.build/<hash of everything that goes in>/<unit>`; what is
 * already there is used again. Throws `tool-missing` without a compiler, `definition-missing` without the unit's
 * firmware, `build-failed` with the compiler's words.
 */
export async function buildNative(unit: string, options: NativeBuildOptions): Promise<{ readonly program: string }> {
  const { root } = options;
  const home = join(root, 'firmware', unit);
  const own = await sourceFiles(home);
  if (!own.includes(join(home, 'src', 'main.cpp'))) {
    throw new BaseUnitError(
      'definition',
      'definition-missing',
      `there is no firmware/${unit}/src/main.cpp; run \`baseunit generate ${unit}\``,
    );
  }
  const program = await buildProgram(unit, {
    ...options,
    sources: own.filter((file) => file.endsWith('.cpp')),
    headers: own.filter((file) => !file.endsWith('.cpp')),
    includes: [join(home, 'include')],
  });
  return { program };
}

export interface ProgramOptions extends NativeBuildOptions {
  readonly sources: readonly string[];
  /** Files that the sources include; they go into the hash. */
  readonly headers: readonly string[];
  /** Folders for `-I`, before the runtime's own. */
  readonly includes: readonly string[];
  readonly flags?: readonly string[];
}

/** Compiles sources and links the runtime, or finds the result of having done so. Gives the program's path. */
export async function buildProgram(name: string, options: ProgramOptions): Promise<string> {
  const { root, sources, headers } = options;
  const build = await startOf(options, [...(options.flags ?? []), ...options.includes.map((folder) => `-I${folder}`)]);
  const hash = await hashOf(root, [name, ...build.words], [...sources, ...headers, ...build.runtimeFiles]);
  return storedBuild(root, hash, name, async (program) => {
    const archive = await buildRuntime(options);
    const args = [...build.flags, ...sources.map((file) => relative(root, file)), archive, '-o', program];
    await compile(name, build.compiler, args, options);
  });
}

/** The runtime as an archive, of which the linker takes what a program needs: compiled once for all units. */
async function buildRuntime(options: NativeBuildOptions): Promise<string> {
  const { root } = options;
  const build = await startOf(options, []);
  const hash = await hashOf(root, ['runtime', ...build.words], build.runtimeFiles);
  return storedBuild(root, hash, 'libbaseunit.a', async (archive) => {
    const sources = build.runtimeFiles.filter((file) => file.endsWith('.cpp'));
    const objects = sources.map((_, index) => `${archive}.${index}.o`);
    const left = [...sources.keys()];
    const work = async (): Promise<void> => {
      for (let index = left.shift(); index !== undefined; index = left.shift()) {
        const args = [...build.flags, '-c', relative(root, sources[index]!), '-o', objects[index]!];
        await compile('the runtime', build.compiler, args, options);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    await compile('the runtime', archiverOrThrow(), ['rcs', archive, ...objects], options);
    await Promise.all(objects.map((object) => rm(object)));
  });
}

interface BuildStart {
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly runtimeFiles: readonly string[];
  /** What goes into a hash beside the files. */
  readonly words: readonly string[];
}

async function startOf(options: NativeBuildOptions, more: readonly string[]): Promise<BuildStart> {
  const { root } = options;
  const compiler = options.compiler ?? compilerOrThrow();
  const runtime = join(root, 'firmware-templates', 'runtime');
  const shown = more.map((flag) => (flag.startsWith('-I') ? `-I${relative(root, flag.slice(2)) || '.'}` : flag));
  const mode = options.sanitize === true ? sanitizeFlags : plainFlags;
  const flags = [...commonFlags, ...mode, ...shown, `-I${relative(root, runtime)}`];
  return {
    compiler: compiler.path,
    flags,
    runtimeFiles: await sourceFiles(runtime),
    words: [compiler.identity, ...flags],
  };
}

async function compile(
  what: string,
  tool: string,
  args: readonly string[],
  options: NativeBuildOptions,
): Promise<void> {
  const { exitCode, output } = await runProgram(tool, args, {
    cwd: options.root,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (exitCode !== 0) {
    throw new BaseUnitError('definition', 'build-failed', `${what} does not compile:\n${output.trimEnd()}`);
  }
}

/** Every C++ file of a folder and of those in it, sorted; none when there is no such folder. */
async function sourceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /\.(h|hpp|cpp)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Over names as seen from the root, so that a copy of the project elsewhere has the same hashes. */
async function hashOf(root: string, words: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`${word}\0`);
  for (const file of [...files].sort()) {
    const octets = await readFile(file);
    hash.update(`${relative(root, file)}\0${octets.length}\0`).update(octets);
  }
  return hash.digest('hex').slice(0, 32);
}
