import { homedir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.js';

/** Path of `pio` or `platformio`: in `PATH`, or where PlatformIO's own installer puts it; `undefined` when it is nowhere. */
export function findPlatformio(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return findProgram(['pio', 'platformio'], env, [join(env.HOME ?? homedir(), '.platformio', 'penv', 'bin')]);
}
