import { readFile } from 'node:fs/promises';
import { runProgram } from '../../../codegen/run-program.js';
import { type ChipObject, chipTool, root } from './chip-build.js';
import { kindOf, noSizes, type Sizes } from './sections.js';

/** A section of an object that is not empty. */
export interface Section {
  readonly name: string;
  readonly octets: number;
}

/** The sections of each object, as `size` tells. */
export async function sectionsOf(objects: readonly ChipObject[]): Promise<ReadonlyMap<ChipObject, readonly Section[]>> {
  const args = ['-A', ...objects.map(({ object }) => object)];
  const { exitCode, output } = await runProgram(chipTool('size'), args, { cwd: root });
  if (exitCode !== 0) throw new Error(output);
  const parts = output.split(/^(?=\S+\.o\s+:$)/m).filter((part) => part.trim() !== '');
  return new Map(
    parts.map((part) => {
      const path = part.slice(0, part.search(/\s/));
      const object = objects.find((one) => one.object === path);
      if (object === undefined) throw new Error(`size tells of ${path}`);
      const rows = [...part.matchAll(/^(\.\S+|COMMON)\s+(\d+)\s+\d+$/gm)];
      return [object, rows.map(([, name, octets]) => ({ name: name!, octets: Number(octets) })).filter(isNotEmpty)];
    }),
  );
}

const isNotEmpty = ({ octets }: Section): boolean => octets > 0;

export function sizesOf(sections: readonly Section[]): Sizes {
  const sizes = { ...noSizes };
  for (const { name, octets } of sections) {
    const kind = kindOf(name);
    if (kind !== undefined) sizes[kind] += octets;
  }
  return sizes;
}

/** A function's frame on the stack. */
export interface Frame {
  readonly where: string;
  readonly octets: number;
  /** `static`; `dynamic` when it depends on what the function meets. */
  readonly kind: string;
}

/** The frames of an object's functions, as `-fstack-usage` tells: an indirect call's, or a library's, are not in them. */
export async function framesOf({ stackUsage }: ChipObject): Promise<Frame[]> {
  const text = await readFile(stackUsage, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [where, octets, kind] = line.split('\t');
      return { where: where!, octets: Number(octets), kind: kind! };
    });
}
