import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { apiTokenPath } from '../base/config/api-token.js';
import { stateFolderPath } from '../base/config/state-folder.js';
import { ConfigurationError } from '../protocol/errors.js';
import { KEY_OCTETS } from '../protocol/iotsocket/uid.js';
import { toHex } from '../protocol/octets.js';
import { checkedUid, type FolderOption, keyFile, keyFolder, writePrivately } from './key-files.js';
import { print, printJson, printTable } from './terminal.js';

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
      refuseToReplace(file, unit);
      writePrivately(file, `${key}\n`);
      const configured = `file:${relative(dirname(resolve(options.config)), file)}`;
      if (isJson()) return printJson({ unit, file, configured });
      print(`The key of ${unit} is in ${file}; only you can read it.`);
      print(`In ${options.config}, under units.known.${unit}:  "key": "${configured}"`);
      print(`Tell the flashed unit, over its USB cable:  baseunit provision ${shellWord(unit)}`);
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

/** As it is typed into a shell. */
const shellWord = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** A file that somebody put there by hand may have any name. */
function uidOf(file: string): string {
  const name = file.slice(0, -'.key'.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A key that is there is never replaced: the unit that has it would be lost. */
function refuseToReplace(file: string, unit: string): void {
  if (!existsSync(file)) return;
  throw new ConfigurationError(
    'config-invalid',
    `${unit} has a key already, in ${file}; delete that file first if the unit is to get another`,
  );
}
