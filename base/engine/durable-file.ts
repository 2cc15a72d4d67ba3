import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
const BLOCK_OCTETS = 64 * 1024;

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

/**
 * The same without holding up the event loop, for a file that changes while the base runs. What was there before is kept at
 * `previous`, when that is given. One at a time for a path: the caller sees to it. Rejects with what the file system says.
 */
export async function writeDurablyAsync(path: string, text: string, previous?: string): Promise<void> {
  await putDurably(
    path,
    (file) => file.writeFile(text, 'utf8'),
    async () => {
      if (previous !== undefined) await copyIfThere(path, previous);
    },
  );
}

/** A copy, whole or not at all. A link would be shorter, but would share the mode, and not every card's file system has it. */
async function copyIfThere(from: string, to: string): Promise<void> {
  const source = await open(from, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (source === undefined) return;
  try {
    await putDurably(to, (file) => copyOctets(source, file));
  } finally {
    await source.close();
  }
}

async function copyOctets(source: FileHandle, target: FileHandle): Promise<void> {
  const block = Buffer.alloc(BLOCK_OCTETS);
  for (;;) {
    const { bytesRead } = await source.read(block);
    if (bytesRead === 0) return;
    await target.writeFile(block.subarray(0, bytesRead));
  }
}

/** `fill` writes the temporary file; `ready`, when that is on disk and not yet in its place. */
async function putDurably(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
  ready?: () => Promise<void>,
): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  try {
    const file = await open(temporary, 'wx', OWNER_ONLY);
    try {
      await fill(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await ready?.();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes names made or taken away in a folder last through a power cut. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
