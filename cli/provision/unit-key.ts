import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { Secrets } from '../../base/config/secrets.js';
import { syncFolder } from '../../base/engine/durable-file.js';
import { ConfigurationError } from '../../protocol/errors.js';
import { KEY_OCTETS } from '../../protocol/iotsocket/uid.js';
import { toHex } from '../../protocol/octets.js';
import { type FolderOption, keyFile, writePrivately } from '../key-files.js';

export interface KeyOptions extends FolderOption {
  /** `env:NAME` or `file:path`: a key that is there already. */
  readonly key?: string;
  /** Another key in place of the one beside the configuration. */
  readonly newKey?: boolean;
}

/** The key that a unit is to be told. */
export interface UnitKey {
  readonly key: Uint8Array;
  /** How the configuration names it. */
  readonly configured: string;
  /** Where a new key will be; `undefined`: it is one that was there. */
  readonly file: string | undefined;
  /** The unit has it: a new one is kept now, the one before it beside it. */
  keep(): void;
  /** The unit does not have it: of a new one nothing is left. */
  discard(): void;
  /** Where a new one stays when nobody knows whether the unit has it; `undefined`: it is one that was there. */
  readonly pending: string | undefined;
}

/**
 * The key that is named, or the one that `baseunit keys make` made, or a new one, which is on the disk before any unit has it.
 * Throws ConfigurationError.
 */
export function keyForUnit(uid: string, options: KeyOptions): UnitKey {
  const file = keyFile(options, uid);
  const configuredAs = (path: string): string => `file:${relative(dirname(resolve(options.config)), resolve(path))}`;
  if (options.key !== undefined) {
    if (options.newKey) throw wrong('--key and --new-key contradict each other');
    const named = options.key;
    if (!/^(env|file):/.test(named)) throw wrong('--key: write env:NAME or file:path, not the key itself');
    return known(named, named.startsWith('file:') ? configuredAs(named.slice(5)) : named, `--key ${named}`);
  }
  if (existsSync(file) && !options.newKey) return known(`file:${file}`, configuredAs(file), file);
  const pending = `${file}.new`;
  const key = new Uint8Array(randomBytes(KEY_OCTETS));
  rmSync(pending, { force: true });
  writePrivately(pending, `${toHex(key)}\n`);
  return {
    key,
    configured: configuredAs(file),
    file,
    keep() {
      // A copy: whenever the power fails, there is a key in its place.
      if (existsSync(file)) copyFileSync(file, `${file}.previous`);
      renameSync(pending, file);
      syncFolder(dirname(file));
    },
    pending,
    discard: () => rmSync(pending, { force: true }),
  };
}

function known(named: string, configured: string, shown: string): UnitKey {
  const read = new Secrets(process.cwd(), process.env).readKey(named);
  if (!read.ok) {
    const what = `${shown} ${read.what}`;
    throw read.isMissing ? new ConfigurationError('secret-missing', what) : wrong(what);
  }
  return { key: read.key, configured, file: undefined, pending: undefined, keep() {}, discard() {} };
}

const wrong = (what: string): ConfigurationError => new ConfigurationError('config-invalid', what);
