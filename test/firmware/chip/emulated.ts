import { join } from 'node:path';
import { type ChipObject, chipObjects, chipProgram, filesIn, root, runtimeFolder } from './chip-build.js';

const folder = import.meta.dirname;
/** Constants in flash are not where they seem to be: see test/firmware/stubs/pgmspace.h. */
const emulated = ['-DBU_STUB_EMULATED'];

/** Sources for the emulated chip of a folder below this one. */
export const ownSources = (name: string): string[] => filesIn(join(folder, name), '.cpp');

/** What a program on the emulated chip needs beside the runtime: what is in the real one's ROM, a start, a console, HMAC. */
async function surroundings(): Promise<readonly ChipObject[]> {
  const support = join(folder, 'support');
  const parts = await Promise.all([
    // Without builtins: a division must not be made of itself.
    chipObjects(ownSources('rom'), [], ['-fno-builtin']),
    chipObjects([...filesIn(support, '.cpp'), ...filesIn(support, '.S')], [], emulated),
    // The chip's port takes hashes from the core's library; here they are the portable ones.
    chipObjects(
      [join(runtimeFolder, 'bu_hmac.cpp'), join(runtimeFolder, 'bu_sha256.cpp')],
      [],
      ['-UARDUINO_ARCH_ESP8266'],
    ),
  ]);
  return parts.flat();
}

/** A program of these sources, the runtime as the chip has it, and all it needs, for the emulated chip. Gives its path. */
export async function emulatedProgram(
  name: string,
  sources: readonly string[],
  includes: readonly string[],
): Promise<string> {
  const own = await chipObjects(sources, includes, emulated);
  const runtime = await chipObjects(filesIn(runtimeFolder, '.cpp'), [], emulated);
  return chipProgram(name, [...own, ...runtime, ...(await surroundings())]);
}

export const exampleIncludes = (units: readonly string[]): string[] =>
  units.map((unit) => join(root, 'firmware', unit, 'include'));
