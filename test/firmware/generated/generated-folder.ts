import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { generateUnit } from '../../../codegen/generate-unit.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { root } from './sketch.js';

/** A folder with all that is generated for a unit. Named by the unit, so that what is compiled of it is found again. */
export async function generatedFolder(definition: UnitDefinition): Promise<string> {
  const home = join(root, '.build', 'generated-units', definition.name);
  await mkdir(home, { recursive: true });
  for (const { path, text } of generateUnit(definition, `units/${definition.name}.ts`)) {
    await put(join(home, basename(path)), text);
  }
  return home;
}

/** Writes a file, unless it is as it should be: another run may be reading it. */
export async function put(file: string, text: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) await writeFile(file, text);
}
