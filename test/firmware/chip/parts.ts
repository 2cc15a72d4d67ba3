import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { type UnitView, unitView } from '../../../codegen/unit-view.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { generatedFolder, put } from '../generated/generated-folder.js';
import { type ChipObject, chipObjects, filesIn, root, runtimeFolder } from './chip-build.js';
import { sizesLinked } from './link-map.js';
import { minimalUnit } from './minimal-unit.js';
import type { Sizes } from './sections.js';

/** Our own sources meet more warnings than what users write. */
const strict = ['-Wconversion', '-Wpedantic'];

/** The portable runtime, and the ESP8266's port, as they are compiled for the chip. */
export const runtimeObjects = (): Promise<readonly ChipObject[]> =>
  chipObjects(filesIn(runtimeFolder, '.cpp'), [], strict);
export const portObjects = (): Promise<readonly ChipObject[]> =>
  chipObjects(filesIn(join(runtimeFolder, 'port', 'esp8266'), '.cpp'), [], strict);

/** A unit and the one object that is its own: its sketch, with all that was generated for it. */
export interface UnitObject {
  readonly definition: UnitDefinition;
  readonly object: ChipObject;
}

/** The example units, with the sketches that the project ships. */
export async function exampleObjects(): Promise<readonly UnitObject[]> {
  const all = [...(await loadDefinitions()).values()].map(({ definition }) => definition);
  const folderOf = ({ name }: UnitDefinition): string => join(root, 'firmware', name);
  // A definition that another test has just written has no firmware.
  const examples = all.filter((definition) => existsSync(join(folderOf(definition), 'include')));
  return unitObjects(
    examples,
    examples.map((definition) => join(folderOf(definition), 'src', 'main.cpp')),
    examples.map((definition) => join(folderOf(definition), 'include')),
  );
}

/** Units with a sketch each. Their headers are named for them, so all may see all. */
async function unitObjects(
  definitions: readonly UnitDefinition[],
  sketches: readonly string[],
  includes: readonly string[],
): Promise<readonly UnitObject[]> {
  const objects = await chipObjects(sketches, includes);
  return definitions.map((definition, index) => ({ definition, object: objects[index]! }));
}

/** The least unit, with the least sketch. */
export async function minimalObject(): Promise<UnitObject> {
  const home = await generatedFolder(minimalUnit);
  const [object] = await chipObjects([join(import.meta.dirname, 'minimal', 'minimal_main.cpp')], [home]);
  return { definition: minimalUnit, object: object! };
}

/** Units with a sketch that has nothing of its own: what is compiled is the generated code, and what it needs. */
export async function bareObjects(definitions: readonly UnitDefinition[]): Promise<readonly UnitObject[]> {
  const homes = await Promise.all(definitions.map(generatedFolder));
  const sketches = homes.map((home) => join(home, 'bare.cpp'));
  for (const [index, sketch] of sketches.entries()) await put(sketch, bareSketch(unitView(definitions[index]!, '')));
  return unitObjects(definitions, sketches, homes);
}

/** No compiler can foresee what is reported, or leave out what is commanded. */
function bareSketch({ header, namespace, commands, reports, hasCommands }: UnitView): string {
  const opaque = (name: string): string => `__asm__ volatile("" : : "r"(&${name}) : "memory");`;
  const handlers = commands.map(({ signature, reply }) => {
    const statements = [opaque('command'), ...(reply === null ? [] : [opaque('reply')]), 'return bu::Answer::ok();'];
    return `  ${signature} { ${statements.join(' ')} }`;
  });
  const telling = reports.map(
    ({ type }) => `  { const ${namespace}::${type}* report; __asm__("" : "=r"(report)); unit.report(*report); }`,
  );
  return [
    `#include <${header}>`,
    ...(hasCommands ? ['struct Handlers {', ...handlers, '};'] : []),
    `static ${namespace}::Unit${hasCommands ? '<Handlers>' : ''} unit;`,
    'void setup() { unit.begin(); }',
    'void loop() {',
    '  unit.loop();',
    ...telling,
    '}\n',
  ].join('\n');
}

/** What the linker keeps of each unit's sketch, the runtime and the port. */
export async function unitSizes(units: readonly UnitObject[]): Promise<readonly Sizes[]> {
  const own = units.map(({ object }) => object);
  return sizesLinked({ own, shared: [...(await runtimeObjects()), ...(await portObjects())], stub: [] });
}

/** What it keeps of a sketch and the runtime beside a port that does nothing, of which nothing is counted. */
export async function runtimeSizes({ object }: UnitObject): Promise<Sizes> {
  const stub = await chipObjects([join(import.meta.dirname, 'stub', 'stub_port.cpp')]);
  const [sizes] = await sizesLinked({ own: [object], shared: await runtimeObjects(), stub });
  return sizes!;
}
