import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A disk of its own, in memory, that can be filled up. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room there is. */
  fill(): void;
  free(): void;
}

/** `undefined`: no disk can be mounted here, which takes root. */
export function smallDisk(path: string, size: string): SmallDisk | undefined {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', ['-l', path]));
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => {
      for (let octets = 64 * 1_024; octets >= 512; octets /= 2) {
        try {
          for (;;) writeFileSync(ballast, Buffer.alloc(octets), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
    },
    free: () => rmSync(ballast, { force: true }),
  };
}
