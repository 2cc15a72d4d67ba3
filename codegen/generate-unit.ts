import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnitDefinition } from '../protocol/definition/index.js';
import type { GeneratedFile } from './generated-file.js';
import { loadTemplates, type Render, templatesFolder } from './templates.js';
import { headerOf, unitView } from './unit-view.js';

let loaded: Render | undefined;

/** The templates of this project, read once. */
export function ownTemplates(): Render {
  loaded ??= loadTemplates();
  return loaded;
}

/** The runtime's name as a library of PlatformIO. */
export function libraryName(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(templatesFolder(), 'runtime', 'library.json'), 'utf8'));
  return (manifest as { readonly name: string }).name;
}

/**
 * The files of a unit's firmware, in memory. The same definition and source give the same octets, everywhere.
 * `sourcePath` is how the definition's file is shown: `units/led-lamp.ts`.
 */
export function generateUnit(
  definition: UnitDefinition,
  sourcePath: string,
  render: Render = ownTemplates(),
): GeneratedFile[] {
  const view = unitView(definition, sourcePath);
  const home = `firmware/${definition.name}`;
  return [
    { path: `${home}/include/${headerOf(definition)}`, kind: 'generated', text: render('unit.h', view) },
    { path: `${home}/src/main.cpp`, kind: 'once', text: render('main.cpp', view) },
  ];
}
