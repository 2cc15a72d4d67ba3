import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificates } from '../uplinks/certificates.js';
import { temporaryFolder } from './temporary-folder.js';

/** A new folder with a certificate `<name>.crt` and its key `<name>.key` of each. */
export function folderOfPairs(pairs: Readonly<Record<string, Certificates>>): string {
  const folder = temporaryFolder();
  for (const [name, { cert, key }] of Object.entries(pairs)) {
    writeFileSync(join(folder, `${name}.crt`), cert);
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  }
  return folder;
}
