import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError } from '../../protocol/errors.js';

/** Beside the configuration file, or in the current folder without one. */
const OWN_FOLDER = '.baseunit';
const OWNER_ONLY = 0o700;

export interface StateFolderOptions {
  /** `STATE_DIRECTORY` is systemd's; with several, parted by colons, the first is ours. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of the configuration file, when there is one. */
  readonly configFile?: string | undefined;
  /** Where the process was started. Default: the current folder. */
  readonly currentFolder?: string;
}

/** Absolute path of the folder where a base keeps its token and tells that it runs. Touches nothing. */
export function stateFolderPath({ environment, configFile, currentFolder = '.' }: StateFolderOptions): string {
  const fromSystemd = environment.STATE_DIRECTORY?.split(':')[0];
  if (fromSystemd) return resolve(fromSystemd);
  return resolve(join(configFile === undefined ? currentFolder : dirname(configFile), OWN_FOLDER));
}

/** The same, made with mode 0700 when it is not there. ConfigurationError `config-unreadable` when it cannot be made. */
export function openStateFolder(options: StateFolderOptions): string {
  return makeStateFolder(stateFolderPath(options));
}

/** A folder that was chosen otherwise: its absolute path, made and refused in the same way. */
export function makeStateFolder(folder: string): string {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    return path;
  } catch (cause) {
    const { message } = cause as Error;
    throw new ConfigurationError(
      'config-unreadable',
      `the folder ${path}, where the base keeps its token, cannot be made: ${message}. Make it writable, or set STATE_DIRECTORY`,
      { cause },
    );
  }
}
