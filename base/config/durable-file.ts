import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;

/**
 * Writes a file that only its owner may read, whole or not at all: temporary file beside it, fsync, rename, fsync of the
 * folder. Throws what the file system throws; the old file is then as it was.
 */
export function writeDurably(path: string, text: string): void {
  const temporary = `${path}.new`;
  // A leftover of a crash may have another mode; `wx` makes a new one with ours.
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', OWNER_ONLY);
  try {
    const octets = Buffer.from(text, 'utf8');
    for (let written = 0; written < octets.length; ) written += writeSync(file, octets, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/** Makes names made or taken away in a folder last through a power cut. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
