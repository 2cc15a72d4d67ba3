import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compilerOrThrow } from '../../../codegen/compiler.js';
import { generateUnit } from '../../../codegen/generate-unit.js';
import { commonFlags } from '../../../codegen/native-build.js';
import { runProgram } from '../../../codegen/run-program.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';

export const root = join(import.meta.dirname, '..', '..', '..');

/** As PlatformIO compiles for the chip, against stubs of the core; pins come before the port's own. */
export const esp8266Flags = [
  '-DARDUINO=10819',
  '-DARDUINO_ARCH_ESP8266',
  `-I${join(import.meta.dirname, 'pins')}`,
  `-I${join(root, 'test', 'firmware', 'stubs')}`,
];

/** What a compiler says of a file, without making anything of it; empty when it is content. */
async function complaintAbout(file: string, flags: readonly string[]): Promise<string> {
  const args = [...commonFlags, '-fsyntax-only', ...flags, `-I${join(root, 'firmware-templates', 'runtime')}`, file];
  const { exitCode, output } = await runProgram(compilerOrThrow().path, args, { cwd: root });
  return exitCode === 0 ? output : output || `exit code ${exitCode}`;
}

/** Generates a unit into a folder of its own and compiles a sketch against it; by default the generated one. */
export async function complaintAboutSketch(
  definition: UnitDefinition,
  sketch?: string,
  flags: readonly string[] = [],
): Promise<string> {
  await mkdir(join(root, '.build'), { recursive: true });
  const home = await mkdtemp(join(root, '.build', 'sketch-test-'));
  try {
    const files = generateUnit(definition, `units/${definition.name}.ts`);
    for (const { path, text } of files) {
      await mkdir(dirname(join(home, path)), { recursive: true });
      await writeFile(join(home, path), path.endsWith('main.cpp') ? (sketch ?? text) : text);
    }
    const unit = join(home, 'firmware', definition.name);
    return await complaintAbout(join(unit, 'src', 'main.cpp'), [...flags, `-I${join(unit, 'include')}`]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
