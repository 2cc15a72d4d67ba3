import { readFile, writeFile } from 'node:fs/promises';
import { type ChipObject, madeOf, writeMap } from './chip-build.js';
import { kindOf, noSizes, type Sizes, sumOf } from './sections.js';

/** What the linker kept of each object, by its path, as its map tells. */
async function linkedSizes(map: string): Promise<ReadonlyMap<string, Sizes>> {
  const text = await readFile(map, 'utf8');
  const kept = text.slice(text.indexOf('\nLinker script and memory map\n'));
  const sizes = new Map<string, Sizes>();
  for (const [, section, octets, path] of kept.matchAll(/^ (\.\S+|COMMON)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+\.o)$/gm)) {
    const kind = kindOf(section!);
    if (kind === undefined) continue;
    const before = sizes.get(path!) ?? noSizes;
    sizes.set(path!, { ...before, [kind]: before[kind] + Number.parseInt(octets!, 16) });
  }
  return sizes;
}

/** What the linker keeps of some of these objects, all of which it is given. */
async function keptOf(map: string, all: readonly ChipObject[], counted: ReadonlySet<ChipObject>): Promise<Sizes> {
  await writeMap(map, all);
  const sizes = await linkedSizes(map);
  return sumOf(all.filter((object) => counted.has(object)).map(({ object }) => sizes.get(object) ?? noSizes));
}

/** A program to be linked and measured: its own object, with what all have in common. */
export interface Measured {
  readonly own: readonly ChipObject[];
  /** Linked and counted. */
  readonly shared: readonly ChipObject[];
  /** Linked and not counted. */
  readonly stub: readonly ChipObject[];
}

/** What the linker keeps of each of these own objects with the shared ones, in their order. Reckoned once for the same objects. */
export async function sizesLinked({ own, shared, stub }: Measured): Promise<readonly Sizes[]> {
  const file = await madeOf('sizes.json', [...own, ...shared, ...stub], async (path) => {
    const sizes: Sizes[] = [];
    for (const object of own) {
      const counted = new Set([object, ...shared]);
      sizes.push(await keptOf(`${path}.map`, [object, ...shared, ...stub], counted));
    }
    await writeFile(path, JSON.stringify(sizes));
  });
  return JSON.parse(await readFile(file, 'utf8')) as readonly Sizes[];
}
