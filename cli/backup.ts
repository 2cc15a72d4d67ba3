import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { ConfigurationError } from '../protocol/errors.js';
import { withBaseOptions } from './base-options.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { print, printJson } from './terminal.js';

/** A store of 1 GiB on a slow card. */
const BACKUP_MS = 30 * 60_000;

/** `baseunit backup`: a copy of the store, whether a base runs or not. */
export function addBackup(program: Command): void {
  withBaseOptions(
    program
      .command('backup')
      .argument('[file]', 'copy it there too, as /media/usb/house.db; no file of that name may be there yet'),
  )
    .description('copy the store into its folder of backups')
    .action(async (file: string | undefined, options: BaseOptions) => {
      if (file !== undefined && existsSync(file))
        throw new ConfigurationError('config-invalid', `${file} is there already; choose another name`);
      const made = await makeBackup(options);
      const path = file === undefined ? made : await copyTo(resolve(file), made);
      if (program.opts<{ json?: boolean }>().json) return printJson({ path });
      print(`The store is backed up in ${path}`);
    });
}

async function makeBackup(options: BaseOptions): Promise<string> {
  const base = await BaseClient.findIfThere(options);
  if (base !== undefined)
    return (await base.request<{ path: string }>('POST', '/api/v1/backups', undefined, BACKUP_MS)).path;
  // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
  const { backUp, findStore } = await import('./offline-store.js');
  return backUp(await findStore(options.config));
}

async function copyTo(file: string, made: string): Promise<string> {
  const { copyDurably } = await import('../base/engine/embedded/durable-copy.js');
  if (!existsSync(made))
    throw new ConfigurationError(
      'config-invalid',
      `the backup is on the base's machine, in ${made}: copy it from there`,
    );
  try {
    copyDurably(made, file);
    return file;
  } catch (error) {
    const what = `${file} cannot be written: ${(error as Error).message}. The backup is in ${made}`;
    throw new ConfigurationError('config-invalid', what, { cause: error });
  }
}
