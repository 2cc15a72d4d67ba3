import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Prints and ends when something is wrong that a person must mend. */
export function fail(message, exitCode = 1) {
  console.error(message);
  process.exit(exitCode);
}

/** Runs a program to its end in the project's folder; all it says goes to stderr. True: it ended with 0. */
export function run(program, words, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: root, stdio: ['inherit', 2, 2], env: { ...process.env, ...env } });
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
}
