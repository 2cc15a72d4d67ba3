import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { storedBuild } from './build-store.js';
import { findProgram } from './find-program.js';
import { runProgram } from './run-program.js';

const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];

/**
 * Compiles these `.c` and `.h` files to a program of that name with gcc, or finds what was compiled from the same. `libraries`
 * are linked with it: `simavr`. Gives its path. Rejects with what the compiler says, or that there is none.
 */
export function buildCProgram(
  root: string,
  name: string,
  files: readonly string[],
  libraries: readonly string[] = [],
): Promise<string> {
  const compiler = findProgram(['gcc', 'cc', 'clang']);
  if (compiler === undefined)
    throw new Error('no C compiler was found (gcc, cc or clang in PATH): sudo apt install gcc');
  const linked = libraries.map((library) => `-l${library}`);
  const hash = createHash('sha256').update([compiler, ...flags, ...linked].join('\0'));
  for (const file of files) hash.update(`${basename(file)}\0`).update(readFileSync(file));
  return storedBuild(root, hash.digest('hex').slice(0, 32), name, async (program) => {
    const sources = files.filter((file) => file.endsWith('.c'));
    const { exitCode, output } = await runProgram(compiler, [...flags, ...sources, ...linked, '-o', program], {
      cwd: root,
    });
    if (exitCode !== 0) throw new Error(`${name} does not compile:\n${output}`);
  });
}
