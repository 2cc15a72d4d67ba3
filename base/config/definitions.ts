import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DefinitionError, type UnitDefinition } from '../../protocol/definition/index.js';
import { BaseUnitError } from '../../protocol/errors.js';

/** A unit type and the file that defines it. */
interface LoadedDefinition {
  readonly definition: UnitDefinition;
  /** As people know it: `units/led-lamp.ts`, with `/` on every system. */
  readonly file: string;
}

/** All unit types of a folder, by name, in the order of their names. */
export type Definitions = ReadonlyMap<string, LoadedDefinition>;

/** A file in `units/` that gives no definition. `definition-invalid`; the message begins with `file:line`. */
export class DefinitionFileError extends BaseUnitError {
  /** `units/led-lamp.ts`. */
  readonly file: string;
  /** `undefined` where no line can be named. */
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, message: string, options?: ErrorOptions) {
    super('definition', 'definition-invalid', `${file}${line === undefined ? '' : `:${line}`}: ${message}`, options);
    this.file = file;
    this.line = line;
  }
}

/** More definitions than a person keeps in one folder: the folder is not what it is thought to be. */
export const MAX_DEFINITIONS = 256;

/** `units/` of this project: of the sources, or compiled, in `dist/`. */
const ownFolder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'units');

/**
 * Loads every `*.ts` (compiled: `*.js`) of a folder, by default the project's `units/`. Throws
 * {@link DefinitionFileError} for the first file that defines nothing, something impossible, or a name twice.
 */
export async function loadDefinitions(folder: string = ownFolder): Promise<Definitions> {
  const loaded = new Map<string, LoadedDefinition>();
  for (const path of await definitionFiles(folder)) {
    const file = shownPath(path);
    const definition = await loadDefinition(path, file);
    const other = loaded.get(definition.name);
    if (other !== undefined) {
      throw new DefinitionFileError(
        file,
        undefined,
        `unit '${definition.name}' is already defined in ${other.file}; give one of them another name`,
      );
    }
    loaded.set(definition.name, { definition, file });
  }
  return new Map([...loaded].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function definitionFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new BaseUnitError('definition', 'definition-missing', `the folder of definitions ${folder} cannot be read`, {
      cause,
    });
  });
  const files = names.filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts')).sort();
  if (files.length > MAX_DEFINITIONS) {
    throw new BaseUnitError(
      'definition',
      'definition-invalid',
      `${folder} holds ${files.length} definitions; at most ${MAX_DEFINITIONS} are loaded`,
    );
  }
  return files.map((name) => join(folder, name));
}

async function loadDefinition(path: string, file: string): Promise<UnitDefinition> {
  let module: { readonly default?: unknown };
  try {
    module = (await import(/* @vite-ignore */ pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    throw new DefinitionFileError(file, lineIn(path, error), messageOf(error), { cause: error });
  }
  const { default: definition } = module;
  if (definition === undefined) {
    throw new DefinitionFileError(file, undefined, 'has no default export; write `export default defineUnit({ … })`');
  }
  if (!isDefinition(definition)) {
    throw new DefinitionFileError(
      file,
      undefined,
      'its default export is not what defineUnit returns; write `export default defineUnit({ … })`',
    );
  }
  return definition;
}

/** What `defineUnit` alone adds: a plain object of options has no `pollMs`. */
function isDefinition(value: unknown): value is UnitDefinition {
  return typeof value === 'object' && value !== null && 'name' in value && 'wire' in value && 'pollMs' in value;
}

function messageOf(error: unknown): string {
  if (error instanceof DefinitionError || error instanceof Error) return error.message;
  return String(error);
}

/** The line of that file in which the error was made, from its stack. Source maps name `.ts` where `.js` runs. */
function lineIn(path: string, error: unknown): number | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  const stem = basename(path).replace(/\.(ts|js)$/, '');
  const parent = basename(dirname(path));
  for (const frame of error.stack.split('\n')) {
    const match = /([^/\\]+)[/\\]([^/\\]+)\.(?:ts|js)(?:\?[^:]*)?:(\d+):\d+\)?$/.exec(frame);
    if (match !== null && match[1] === parent && match[2] === stem) return Number(match[3]);
  }
  return undefined;
}

/** `…/dist/units/led-lamp.js` is `units/led-lamp.ts` to its author. */
function shownPath(path: string): string {
  const fromHere = relative(join(ownFolder, '..'), path);
  const shown = fromHere.startsWith('..') ? relative(process.cwd(), path) : fromHere;
  return shown.split(sep).join('/').replace(/\.js$/, '.ts');
}
