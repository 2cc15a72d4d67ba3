import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How often it is looked whether the other has finished. */
const LOOK_EVERY_MS = 100;
/** A compiler that takes longer will not end; nor will a process that has not written its number by then. */
const LONGEST_MS = 600_000;
const LONGEST_WITHOUT_NUMBER_MS = 5_000;

/**
 * Calls `act` while no other process holds the lock of that path, and gives what it gives. Waits for as long as another has
 * it: several that start at the same time compile once, and not all at once. One that was killed holds it no more.
 */
export function withLock(path, act) {
  while (!take(path)) {
    if (isAbandoned(path)) rmSync(path, { recursive: true, force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  try {
    return act();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function take(path) {
  try {
    mkdirSync(path);
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(join(path, 'pid'), String(process.pid));
  return true;
}

function isAbandoned(path) {
  try {
    const ageMs = Date.now() - statSync(path).mtimeMs;
    const pid = Number(readPid(path));
    return ageMs > LONGEST_MS || (pid > 0 ? !isAlive(pid) : ageMs > LONGEST_WITHOUT_NUMBER_MS);
  } catch {
    // It is gone: the next attempt will show.
    return false;
  }
}

function readPid(path) {
  try {
    return readFileSync(join(path, 'pid'), 'utf8');
  } catch {
    return '';
  }
}

/** True also for a process of another user. */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
