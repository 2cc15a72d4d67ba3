import { realpathSync, statSync } from 'node:fs';
import { ConfigurationError } from '../protocol/errors.js';
import { findProgram } from './find-program.js';

/** A C++17 compiler of this machine. */
export interface Compiler {
  readonly path: string;
  /** Changes when the compiler is replaced by another: its real path, size and date, which cost no process to read. */
  readonly identity: string;
}

/** What to say where there is none. */
export const COMPILER_MISSING =
  'no C++ compiler was found (g++, c++ or clang++ in PATH). Install one with\n' +
  '  sudo apt install g++\n' +
  'or run the TypeScript simulator instead, which needs none.';

/** `g++`, `c++` or `clang++`, the first that is there; `undefined` when none is ({@link COMPILER_MISSING} says what to do). */
export function findCompiler(env: NodeJS.ProcessEnv = process.env): Compiler | undefined {
  const path = findProgram(['g++', 'c++', 'clang++'], env);
  if (path === undefined) return undefined;
  const real = realpathSync(path);
  const { size, mtimeMs } = statSync(real);
  return { path, identity: `${real} ${size} ${mtimeMs}` };
}

/** The same; throws `tool-missing` instead of giving nothing. */
export function compilerOrThrow(env: NodeJS.ProcessEnv = process.env): Compiler {
  const compiler = findCompiler(env);
  if (compiler === undefined) throw new ConfigurationError('tool-missing', COMPILER_MISSING);
  return compiler;
}

/** `ar`, which comes with every compiler's linker. Throws `tool-missing`. */
export function archiverOrThrow(env: NodeJS.ProcessEnv = process.env): string {
  const path = findProgram(['ar', 'gcc-ar', 'llvm-ar'], env);
  if (path === undefined)
    throw new ConfigurationError('tool-missing', 'no `ar` was found in PATH: sudo apt install binutils');
  return path;
}
