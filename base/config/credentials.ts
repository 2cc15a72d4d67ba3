import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Digits of the path's hash: two files may have one name. */
const NAME_DIGITS = 12;

/** Under which name systemd hands a service its copy of that file (`LoadCredential=`). `path` is absolute. */
export function credentialName(path: string): string {
  const digits = createHash('sha256').update(path).digest('hex').slice(0, NAME_DIGITS);
  return `${basename(path)
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 100)}.${digits}`;
}

/**
 * Where that file can be read. A service runs as a user of its own, who may not read what only its owner may: systemd gives
 * it copies, made anew at each start, in the folder `CREDENTIALS_DIRECTORY` (systemd.exec(5)).
 */
export function readablePath(
  path: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const folder = environment.CREDENTIALS_DIRECTORY;
  if (!folder) return path;
  const copy = join(folder, credentialName(path));
  return existsSync(copy) ? copy : path;
}
