import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { putInPlace } from './sqlite-file.js';

const OWNER_ONLY = 0o600;
const BLOCK_OCTETS = 1024 * 1024;

/**
 * A copy that only its owner may read, on disk whole or not there at all; what is at that place is replaced. Throws what the
 * file system throws.
 */
export function copyDurably(from: string, to: string): void {
  const temporary = `${to}.new`;
  rmSync(temporary, { force: true });
  try {
    copyOctets(from, temporary);
    putInPlace(temporary, to);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function copyOctets(from: string, to: string): void {
  const source = openSync(from, 'r');
  try {
    // Ours from its first octet: a copy would else have the mode of what it is a copy of.
    const target = openSync(to, 'wx', OWNER_ONLY);
    try {
      const block = Buffer.alloc(BLOCK_OCTETS);
      for (let read = readSync(source, block); read > 0; read = readSync(source, block))
        for (let written = 0; written < read; ) written += writeSync(target, block, written, read - written);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
