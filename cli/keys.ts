import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { apiTokenPath } from '../base/config/api-token.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import { ConfigurationError } from '../protocol/errors.js';
import { KEY_OCTETS, UID_OCTETS } from '../protocol/iotsocket/uid.js';
import { toHex } from '../protocol/octets.js';
import { print, printJson, printTable } from './terminal.js';

interface FolderOption {
  readonly config: string;
}

/** `baseunit keys`: the key that a unit and the base share. */
export function addKeys(program: Command): void {
  const keys = program.command('keys').description('make the key of a unit, and show where keys are');
  const isJson = (): boolean | undefined => program.opts<{ json?: boolean }>().json;

  keys
    .command('make')
    .description('make a random key for a unit, in a file that only you can read')
    .argument('<unit>', "the unit's UID, as kitchen-lamp: at most 16 octets")
    .option('-c, --config <file>', 'the configuration file; keys/ is made beside it', 'base.json')
    .action((unit: string, options: FolderOption) => {
      const file = keyFile(options, checkedUid(unit));
      const key = toHex(new Uint8Array(randomBytes(KEY_OCTETS)));
      writeSecret(file, unit, `${key}\n`);
      const configured = `file:${relative(dirname(resolve(options.config)), file)}`;
      if (isJson()) return printJson({ unit, file, configured });
      print(`The key of ${unit} is in ${file}; only you can read it.`);
      print(`In ${options.config}, under units.known.${unit}:  "key": "${configured}"`);
      print("In the secrets.h of the unit's firmware (git ignores it):");
      print(`  constexpr char uid[] = ${JSON.stringify(unit)};`);
      print(`  constexpr char key[] = "${key}";`);
    });

  keys
    .command('where')
    .description('show which key files there are, and who may read them')
    .option('-c, --config <file>', 'the configuration file; keys/ is looked for beside it', 'base.json')
    .action((options: FolderOption) => {
      const folder = keyFolder(options);
      const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.key')) : [];
      const found = names.sort().map((name) => {
        const file = join(folder, name);
        return { unit: uidOf(name), file, mode: (statSync(file).mode & 0o777).toString(8).padStart(4, '0') };
      });
      const folderOfState = stateFolderPath({ environment: process.env, configFile: options.config });
      const token = existsSync(apiTokenPath(folderOfState)) ? apiTokenPath(folderOfState) : undefined;
      if (isJson()) return printJson({ keys: found, apiToken: token ?? null });
      if (token !== undefined) print(`The token of the HTTP API is in ${token}.`);
      if (found.length === 0) return print(`There is no key in ${folder}. Make one: baseunit keys make <unit>`);
      printTable(
        ['UNIT', 'FILE', 'MODE'],
        found.map(({ unit, file, mode }) => [unit, file, mode]),
      );
    });
}

const keyFolder = ({ config }: FolderOption): string => join(dirname(resolve(config)), 'keys');

const keyFile = (options: FolderOption, uid: string): string =>
  join(keyFolder(options), `${encodeURIComponent(uid)}.key`);

/** A file that somebody put there by hand may have any name. */
function uidOf(file: string): string {
  const name = file.slice(0, -'.key'.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function checkedUid(uid: string): string {
  const octets = new TextEncoder().encode(uid).length;
  if (octets >= 1 && octets <= UID_OCTETS && !/[/\\\p{Cc}\p{Surrogate}]|^\.+$/u.test(uid)) return uid;
  throw new ConfigurationError(
    'config-invalid',
    `${JSON.stringify(uid)} cannot be a UID: it must have 1 to ${UID_OCTETS} octets, no slash and no control character`,
  );
}

/** A key that is there is never replaced: the unit that has it would be lost. */
function writeSecret(file: string, unit: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (existsSync(file)) {
    throw new ConfigurationError(
      'config-invalid',
      `${unit} has a key already, in ${file}; delete that file first if the unit is to get another`,
    );
  }
  const handle = openSync(file, 'wx', 0o600);
  fchmodSync(handle, 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
}
