import { closeSync, fchmodSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { syncFolder } from '../base/engine/durable-file.js';
import { ConfigurationError } from '../protocol/errors.js';
import { UID_OCTETS } from '../protocol/iotsocket/uid.js';

export interface FolderOption {
  /** The configuration file, beside which the keys are. */
  readonly config: string;
}

export const keyFolder = ({ config }: FolderOption): string => join(dirname(resolve(config)), 'keys');

export const keyFile = (options: FolderOption, uid: string): string =>
  join(keyFolder(options), `${encodeURIComponent(uid)}.key`);

/** The UID, which will be the name of a file. Throws ConfigurationError for what cannot be one. */
export function checkedUid(uid: string): string {
  const octets = new TextEncoder().encode(uid).length;
  if (octets >= 1 && octets <= UID_OCTETS && !/[/\\\p{Cc}\p{Surrogate}]|^\.+$/u.test(uid)) return uid;
  throw new ConfigurationError(
    'config-invalid',
    `${JSON.stringify(uid)} cannot be a UID: it must have 1 to ${UID_OCTETS} octets, no slash and no control character`,
  );
}

/**
 * Writes a file that is not there yet and that only its owner may read, in a folder that only its owner may look into. It is
 * on the disk then.
 */
export function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const handle = openSync(file, 'wx', 0o600);
  fchmodSync(handle, 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  syncFolder(dirname(file));
}
