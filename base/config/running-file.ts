import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../engine/durable-file.js';

/** A base that runs, as it tells command-line tools of itself. */
export interface RunningBase {
  readonly pid: number;
  /** Of its API, without a slash at the end. */
  readonly url: string;
  /** Unix ms. */
  readonly startedAt: number;
  /** Absolute path of the configuration it runs with. */
  readonly configFile: string;
}

const pathIn = (stateFolder: string): string => join(stateFolder, 'running.json');

/** Tells that this base runs; what an earlier one left is replaced. */
export function announceRunning(stateFolder: string, base: RunningBase): void {
  writeDurably(pathIn(stateFolder), `${JSON.stringify(base)}\n`);
}

/** Takes the announcement back, when it is still that process's own. May be called twice. */
export function withdrawRunning(stateFolder: string, pid: number): void {
  if (read(stateFolder)?.pid === pid) rmSync(pathIn(stateFolder), { force: true });
}

/**
 * The base that runs with this state folder; `undefined` when there is none, when its process is gone (it was killed, or
 * the power was), or when the file is not one of ours. A process number can be used again: who calls the URL finds out.
 */
export function findRunning(
  stateFolder: string,
  isAlive: (pid: number) => boolean = isProcessAlive,
): RunningBase | undefined {
  const base = read(stateFolder);
  return base !== undefined && isAlive(base.pid) ? base : undefined;
}

function read(stateFolder: string): RunningBase | undefined {
  try {
    const base = JSON.parse(readFileSync(pathIn(stateFolder), 'utf8')) as Partial<Record<keyof RunningBase, unknown>>;
    return isRunningBase(base) ? base : undefined;
  } catch {
    // Not there, not readable, not JSON: in each case no base can be found through it.
    return undefined;
  }
}

/** By hand: every command reads this file, and on a Pi it would wait half a second for zod. */
function isRunningBase(base: Partial<Record<keyof RunningBase, unknown>>): base is RunningBase {
  const { pid, url, startedAt, configFile } = base;
  return (
    isWhole(pid, 1) &&
    isWhole(startedAt, 0) &&
    typeof configFile === 'string' &&
    typeof url === 'string' &&
    URL.canParse(url) &&
    /^https?:$/.test(new URL(url).protocol)
  );
}

const isWhole = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
