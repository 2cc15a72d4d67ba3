import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../base/project-root.js';
import { storedBuild } from '../../codegen/build-store.js';
import { findProgram } from '../../codegen/find-program.js';
import { runProgram } from '../../codegen/run-program.js';

const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];

/** Compiles `generator/*.c` with gcc, or finds what was compiled from the same. Gives the program's path. */
export function buildGenerator(): Promise<string> {
  const folder = join(projectRoot, 'bench', 'load', 'generator');
  const compiler = findProgram(['gcc', 'cc', 'clang']);
  if (compiler === undefined)
    throw new Error('no C compiler was found (gcc, cc or clang in PATH): sudo apt install gcc');
  const files = readdirSync(folder).sort();
  const hash = createHash('sha256').update([compiler, ...flags].join('\0'));
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  return storedBuild(projectRoot, hash.digest('hex').slice(0, 32), 'generator', async (program) => {
    const sources = files.filter((file) => file.endsWith('.c')).map((file) => join(folder, file));
    const { exitCode, output } = await runProgram(compiler, [...flags, ...sources, '-o', program], {
      cwd: projectRoot,
    });
    if (exitCode !== 0) throw new Error(`the load generator does not compile:\n${output}`);
  });
}
