import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../base/project-root.js';
import { buildCProgram } from '../../codegen/build-c-program.js';

/** Compiles `generator/*.c` with gcc, or finds what was compiled from the same. Gives the program's path. */
export function buildGenerator(): Promise<string> {
  const folder = join(projectRoot, 'bench', 'load', 'generator');
  const files = readdirSync(folder).sort();
  return buildCProgram(
    projectRoot,
    'generator',
    files.map((file) => join(folder, file)),
  );
}
