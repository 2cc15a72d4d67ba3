import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { UnitDefinition } from '../protocol/definition/index.js';
import { BaseUnitError } from '../protocol/errors.js';
import { refuseTooLarge } from './budget.js';
import { generateUnit, libraryName, ownTemplates } from './generate-unit.js';
import { type GeneratedFile, isGenerated } from './generated-file.js';
import { PLATFORMIO_FILE, platformioPart, replacePart } from './platformio.js';

/** Unit types by name, each with the file that defines it, as `loadDefinitions` gives them. */
export type DefinitionsByName = ReadonlyMap<string, { readonly definition: UnitDefinition; readonly file: string }>;

export interface WriteOptions {
  /** Write nothing; throw {@link FirmwareStaleError} when something would be written. */
  readonly check?: boolean;
  /** Only these units (and `platformio.ini`, which is about all). Default: all. */
  readonly only?: readonly string[];
}

/** What was done, as paths from the root, sorted. */
export interface Written {
  readonly written: readonly string[];
  /** Generated files of units that are gone. The user's own files beside them stay. */
  readonly removed: readonly string[];
  readonly unchanged: number;
}

export interface Difference {
  /** From the root: `firmware/led-lamp/include/led-lamp.h`. */
  readonly path: string;
  readonly what: 'differs' | 'missing' | 'left over';
}

/** Generated files that are not what the definitions say. `firmware-stale`; `differences` has all of them, the message too. */
export class FirmwareStaleError extends BaseUnitError {
  readonly differences: readonly Difference[];

  constructor(differences: readonly Difference[]) {
    const lines = differences.map(({ path, what }) => `  ${path}: ${saying[what]}`);
    super(
      'definition',
      'firmware-stale',
      `these generated files are not what units/ says; run \`baseunit generate\`:\n${lines.join('\n')}`,
    );
    this.differences = differences;
  }
}

const saying: Readonly<Record<Difference['what'], string>> = {
  differs: 'differs',
  missing: 'is missing',
  'left over': 'is left over: no unit has it any more',
};

/**
 * Writes the firmware of all units, and `platformio.ini`, below `root`. Files that are right are not touched; a
 * `main.cpp` is created when it is missing and never touched again. Throws `firmware-too-large` before it writes anything.
 */
export async function writeFirmware(
  root: string,
  definitions: DefinitionsByName,
  options: WriteOptions = {},
): Promise<Written> {
  if (options.check === true) {
    await checkFirmware(root, definitions, options);
    return { written: [], removed: [], unchanged: 0 };
  }
  const { files, leftOver, unchanged } = await compare(root, definitions, options.only);
  for (const { file } of files) await writeWhole(join(root, file.path), file.text);
  for (const path of leftOver) await rm(join(root, path));
  return { written: files.map(({ file }) => file.path).sort(), removed: leftOver, unchanged };
}

/** Throws {@link FirmwareStaleError} naming each file that differs, is missing, or is left over. Writes nothing. */
export async function checkFirmware(
  root: string,
  definitions: DefinitionsByName,
  options: Pick<WriteOptions, 'only'> = {},
): Promise<void> {
  const { files, leftOver } = await compare(root, definitions, options.only);
  const differences: Difference[] = [
    ...files.map(({ file, what }) => ({ path: file.path, what })),
    ...leftOver.map((path) => ({ path, what: 'left over' as const })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (differences.length > 0) throw new FirmwareStaleError(differences);
}

interface Comparison {
  readonly files: readonly { readonly file: GeneratedFile; readonly what: 'differs' | 'missing' }[];
  readonly leftOver: readonly string[];
  readonly unchanged: number;
}

async function compare(
  root: string,
  definitions: DefinitionsByName,
  only: readonly string[] | undefined,
): Promise<Comparison> {
  const stranger = only?.find((name) => !definitions.has(name));
  if (stranger !== undefined) throw unknownUnit(stranger, definitions);
  const isWanted = (unit: string): boolean => only === undefined || only.includes(unit);
  const asked = [...definitions.values()].filter(({ definition }) => isWanted(definition.name));
  refuseTooLarge(asked.map(({ definition }) => definition));
  const wanted = asked.flatMap(({ definition, file }) => generateUnit(definition, file));
  const project = join(root, PLATFORMIO_FILE);
  const units = [...definitions.values()].map(({ definition }) => definition);
  const part = platformioPart(ownTemplates(), units, libraryName());
  wanted.push({ path: PLATFORMIO_FILE, kind: 'generated', text: replacePart(await textOf(project), part) });

  const files: Comparison['files'][number][] = [];
  for (const file of wanted) {
    const existing = await textOf(join(root, file.path));
    if (existing === undefined) files.push({ file, what: 'missing' });
    else if (file.kind === 'generated' && existing !== file.text) files.push({ file, what: 'differs' });
  }
  const expected = new Set(wanted.map(({ path }) => path));
  const found = await generatedBelow(root, (unit) => isWanted(unit) || !definitions.has(unit));
  return {
    files,
    leftOver: found.filter((path) => !expected.has(path)),
    unchanged: wanted.length - files.length,
  };
}

/** What to say of a unit that no definition has. */
export function unknownUnit(name: string, definitions: DefinitionsByName): BaseUnitError {
  const known = [...definitions.keys()].join(', ') || 'none';
  return new BaseUnitError('definition', 'definition-missing', `there is no unit '${name}'; defined are: ${known}`);
}

/** The user's own from when there was such a file: it may be a copy of our example, whose mark it then bears. */
const SECRETS = 'secrets.h';

/** Files below `firmware/` that bear our mark, in the folders of the units asked for, sorted. */
async function generatedBelow(root: string, isAsked: (unit: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const unit of (await namesIn(join(root, 'firmware'))).filter(isAsked)) {
    for (const folder of ['include', 'src']) {
      for (const name of await namesIn(join(root, 'firmware', unit, folder))) {
        if (name === SECRETS) continue;
        const text = await textOf(join(root, 'firmware', unit, folder, name));
        if (text !== undefined && isGenerated(text)) found.push(`firmware/${unit}/${folder}/${name}`);
      }
    }
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    return absent(error, []);
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    return absent(error, undefined);
  }
}

function absent<T>(error: unknown, instead: T): T {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return instead;
  throw error;
}

/** All of it or nothing: a reader, or a power cut, never meets half a file. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.new`;
  await writeFile(beside, text);
  await rename(beside, path);
}
