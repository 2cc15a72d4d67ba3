import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Resolves when `dist/` is what the sources are: whoever runs the command line compiles them. */
export function compiled(): Promise<void> {
  const script = join(process.cwd(), 'cli', 'baseunit.mjs');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [script, '--version'], (error, _out, err) => {
      if (error === null) resolve();
      else reject(new Error(`the sources do not compile: ${err}`));
    });
  });
}
