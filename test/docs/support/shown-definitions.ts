import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Definitions, loadDefinitions } from '../../../base/config/definitions.js';
import { blocks, root } from './documents.js';

export interface ShownDefinitions {
  /** Of the documents, and those of `units/` that they refer to. */
  readonly definitions: Definitions;
  /** Names of those that a document shows. */
  readonly shown: readonly string[];
  /** A project of its own, with `units/` and `protocol/`, for the type check. */
  readonly folder: string;
  remove(): void;
}

/** Puts every TypeScript block of the documents where a user would put it, and loads the definitions. */
export async function loadShownDefinitions(): Promise<ShownDefinitions> {
  // Inside the project, because packages are looked for from there upwards.
  mkdirSync(join(root, '.build'), { recursive: true });
  const folder = mkdtempSync(join(root, '.build', 'docs-test-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const shown: string[] = [];
  try {
    cpSync(join(root, 'units'), join(folder, 'units'), { recursive: true });
    symlinkSync(join(root, 'protocol'), join(folder, 'protocol'));
    mkdirSync(join(folder, 'other'));
    for (const [index, { text }] of blocks('ts').entries()) {
      const name = /export default defineUnit\(\{\s*name: '([^']+)'/.exec(text)?.[1];
      if (name !== undefined) shown.push(name);
      writeFileSync(join(folder, name === undefined ? `other/block-${index}.ts` : `units/${name}.ts`), text);
    }
    const settings = { extends: join(root, 'tsconfig.json'), include: ['units', 'other'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
    return { definitions: await loadDefinitions(join(folder, 'units')), shown, folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
