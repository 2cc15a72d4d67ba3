import { accessSync, constants, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Clock } from '../../base/core/clock.js';
import { openHere } from '../../base/engine/embedded/sqlite-port.js';
import type { Resolve } from '../../base/links/guarded-lookup.js';
import { projectRoot } from '../../base/project-root.js';
import { systemClock } from '../../base/system.js';
import { findProgram } from '../../codegen/find-program.js';
import { type Ran, runProgram } from '../../codegen/run-program.js';
import { type Listener, tryToListen } from './listener.js';

/** Who runs the doctor, and most likely the base. */
export interface User {
  /** `undefined` where there are no numbers for users. */
  readonly uid: number | undefined;
  readonly name: string;
  /** Numbers of the groups it has now: a group that was added to it counts from the next login on. */
  readonly groups: readonly number[];
}

/** Free space, and what kind of file system it is. */
export interface Space {
  readonly freeOctets: number;
  /** `statfs(2)`, `f_type`. */
  readonly type: number;
}

/**
 * The machine, as the checks see it. Files are looked at below `root`; what cannot be arranged in a folder for a test is
 * a function here. Nothing of it changes anything.
 */
export interface System {
  /** `/`. */
  readonly root: string;
  readonly platform: NodeJS.Platform;
  readonly nodeVersion: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly user: User;
  readonly clock: Clock;
  /** Of each question over the network, and of each program. */
  readonly timeoutMs: number;
  readonly resolve?: Resolve | undefined;
  /** Whether this user may read and write the file there. */
  mayUse(path: string, ways: 'read' | 'write' | 'both'): boolean;
  /** Rejects where there is nothing. */
  spaceOf(path: string): Promise<Space>;
  /** Listens there for a moment. Rejects with the system's `code`. */
  listen(listener: Listener): Promise<void>;
  /** A program of `PATH`, or at that path. `undefined`: there is none, or it does not end in time. */
  run(program: string, ...args: readonly string[]): Promise<Ran | undefined>;
  /** Why that package cannot be used; `undefined`: it can. */
  problemOfPackage(name: 'better-sqlite3' | 'mdns'): Promise<string | undefined>;
}

/** Each network question ends within that, and the whole with it. */
const TIMEOUT_MS = 5_000;

const accessOf = {
  read: constants.R_OK,
  write: constants.W_OK,
  both: constants.R_OK | constants.W_OK,
};

/** This machine. */
export function thisSystem(environment: NodeJS.ProcessEnv = process.env): System {
  const run: System['run'] = async (program, ...args) => {
    const path = program.includes('/') ? program : findProgram([program], environment);
    if (path === undefined) return undefined;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    return runProgram(path, args, { cwd: projectRoot, env: { ...environment }, signal }).catch(() => undefined);
  };
  return {
    root: '/',
    platform: process.platform,
    nodeVersion: process.versions.node,
    environment,
    user: thisUser(environment),
    clock: systemClock,
    timeoutMs: TIMEOUT_MS,
    mayUse(path, ways) {
      try {
        accessSync(path, accessOf[ways]);
        return true;
      } catch {
        return false;
      }
    },
    async spaceOf(path) {
      const { bavail, bsize, type } = await statfs(path);
      return { freeOctets: bavail * bsize, type };
    },
    listen: tryToListen,
    run,
    problemOfPackage: (name) => (name === 'better-sqlite3' ? problemOfSqlite() : problemOfMdns(environment)),
  };
}

function thisUser(environment: NodeJS.ProcessEnv): User {
  const groups = [...new Set([...(process.getgroups?.() ?? []), ...(process.getgid ? [process.getgid()] : [])])];
  return { uid: process.getuid?.(), name: nameOfUser(environment), groups };
}

/** A number without an entry in `/etc/passwd`, as in a container, has no name. */
function nameOfUser(environment: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return environment.USER ?? '$USER';
  }
}

async function problemOfSqlite(): Promise<string | undefined> {
  try {
    const { port } = await openHere(':memory:', '');
    await port.close();
    return undefined;
  } catch (error) {
    return firstLine((error as Error).message);
  }
}

/** In a process of its own: it is compiled for this machine, and talks to Avahi when it is loaded. */
async function problemOfMdns(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  const env = { ...environment, AVAHI_COMPAT_NOWARN: '1' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const { exitCode, output } = await runProgram(process.execPath, ['-e', "require('mdns')"], {
      cwd: projectRoot,
      env,
      signal,
    });
    if (exitCode === 0) return undefined;
    return /MODULE_NOT_FOUND/.test(output) ? 'it is not installed' : 'it is installed and cannot be loaded';
  } catch {
    return `it cannot be loaded within ${TIMEOUT_MS / 1_000} s`;
  }
}

const firstLine = (text: string): string => text.split('\n')[0]!;

/** A text file of the system; `undefined` when it cannot be read. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
