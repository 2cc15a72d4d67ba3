import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import { InternalError } from '../protocol/errors.js';
import { strictView } from './strict-view.js';

const EXTENSION = '.hbs';

/** The folder of templates and runtime: beside this room, or one further up when this runs from `dist/`. */
export function templatesFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = ['..', join('..', '..')].map((up) => join(here, up, 'firmware-templates'));
  const found = candidates.find((folder) => existsSync(folder));
  if (found === undefined) throw new InternalError('internal', `no firmware-templates near ${here}`);
  return found;
}

/** Fills the named template (`codec.h` is `codec.h.hbs`) with a view. A name that the view has not got throws. */
export type Render = (template: string, view: object) => string;

/** Reads all templates of a folder. Any of them can be used as a partial of another, by the same name. */
export function loadTemplates(folder: string = templatesFolder()): Render {
  const handlebars = Handlebars.create();
  const options = { strict: true, noEscape: true, knownHelpersOnly: true, preventIndent: true };
  const sources = readdirSync(folder)
    .filter((file) => file.endsWith(EXTENSION))
    .sort()
    .map((file) => [file.slice(0, -EXTENSION.length), readFileSync(join(folder, file), 'utf8')] as const);
  const templates = new Map(sources.map(([name, source]) => [name, handlebars.compile(source, options)]));
  for (const [name, template] of templates) handlebars.registerPartial(name, template);
  return (name, view) => {
    const template = templates.get(name);
    if (template === undefined) throw new InternalError('internal', `there is no template ${name}${EXTENSION}`);
    return template(strictView(view), { allowProtoPropertiesByDefault: false });
  };
}
