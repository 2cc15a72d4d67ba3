import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { always, expected, text } from './schema-fields.js';

/** Each is a protocol of its own, with sockets of its own; a house has one or two. */
export const MAX_HANDLERS = 16;
const MAX_PATH_CHARACTERS = 4_096;
const EXAMPLE = '"./my-handler.mjs"';
/** Write for the group and for all others. */
const OTHERS_WRITE = 0o022;
/** In a folder with it, only the owner of a file may replace it, as in `/tmp`. */
const STICKY = 0o1000;

/** `handlers`: modules of the user's own, from the folder of the configuration file. */
export function handlersField(folder: string) {
  const path = text(EXAMPLE, MAX_PATH_CHARACTERS).superRefine((written, context) => {
    const message = problemOfModule(resolve(folder, written));
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return z
    .array(path, { error: expected('a list', `[${EXAMPLE}]`) })
    .max(MAX_HANDLERS, { error: `has more than ${MAX_HANDLERS} modules` })
    .superRefine((paths, context) => {
      const taken = new Map<string, number>();
      for (const [index, written] of paths.entries()) {
        // One of another type was refused already.
        if (typeof written !== 'string') continue;
        const other = taken.get(resolve(folder, written));
        if (other === undefined) taken.set(resolve(folder, written), index);
        else context.addIssue({ code: 'custom', path: [index], message: `is handlers[${other}] too; take one out` });
      }
    }, always);
}

/** Their absolute paths. */
export const handlersOf = (paths: readonly string[], folder: string): readonly string[] =>
  paths.map((path) => resolve(folder, path));

function problemOfModule(path: string): string | undefined {
  if (!/\.m?js$/.test(path)) return 'is no module of JavaScript; write the path of a file that ends in .mjs or .js';
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return `names a file that does not exist; it is looked for at ${path}`;
    return found.isFile() ? undefined : `names ${path}, which is no file; write the path of one`;
  } catch (error) {
    return `names ${path}, which cannot be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Who may change a module may do all that the base may. */
export function handlersWarnings(paths: readonly string[]): string[] {
  return process.platform === 'win32' ? [] : paths.flatMap((path) => warningOfModule(path) ?? []);
}

function warningOfModule(path: string): string | undefined {
  const folder = dirname(path);
  const { mode: ofFolder } = statSync(folder);
  const isReplaceable = (ofFolder & OTHERS_WRITE) !== 0 && (ofFolder & STICKY) === 0;
  const at = (statSync(path).mode & OTHERS_WRITE) !== 0 ? path : isReplaceable ? folder : undefined;
  if (at === undefined) return undefined;
  const what = at === path ? 'may be changed by others' : `is in ${folder}, where others may put another in its place`;
  return `handlers: ${path} ${what}: whoever does so can do all that the base can: chmod go-w ${at}`;
}
