import { resolve } from 'node:path';
import type { Command } from 'commander';
import { StoreError } from '../protocol/errors.js';
import { isBaseRunning } from './running-base.js';
import { print, printJson } from './terminal.js';

interface RestoreOptions {
  readonly config: string;
}

/** `baseunit restore`: a backup in the place of the store, while no base runs. */
export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('bring back a backup of the store, while no base runs; the store from before is kept')
    .argument('<file>', 'the backup, as .baseunit/backups/baseunit-2026-11-21.db')
    .option('-c, --config <file>', 'the configuration file the base is started with', 'base.json')
    .action(async (file: string, { config }: RestoreOptions) => {
      if (await isBaseRunning(config))
        throw new StoreError('store-unusable', 'a base runs with this store: stop it, then restore');
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const [{ findStore }, { restoreStore }, { systemRandom: random }] = await Promise.all([
        import('./offline-store.js'),
        import('../base/engine/embedded/restore.js'),
        import('../base/system.js'),
      ]);
      const { file: store } = await findStore(config);
      const stamp = new Date().toISOString().replace(/[:.]/g, '-');
      const { before, commandsLeftOut } = restoreStore({ backup: resolve(file), store, stamp, random });
      if (program.opts<{ json?: boolean }>().json)
        return printJson({ restored: resolve(file), store, before: before ?? null, commandsLeftOut });
      print(`${file} is restored to ${store}`);
      if (before !== undefined) print(`The store from before is kept as ${before}; delete it when all is well.`);
      if (commandsLeftOut > 0)
        print(`Left out: ${commandsLeftOut} commands without an outcome. They may have been done since.`);
    });
}
