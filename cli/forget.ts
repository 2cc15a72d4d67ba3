import type { Command } from 'commander';
import { withBaseOptions } from './base-options.js';
import { BaseClient, type BaseOptions } from './running-base.js';
import { print, printJson } from './terminal.js';

/** The store and seven backups of 1 GiB are written anew, on a slow card. */
const FORGET_MS = 60 * 60_000;

/** `baseunit forget`: erases what is stored about a unit, whether a base runs or not. */
export function addForget(program: Command): void {
  withBaseOptions(program.command('forget').argument('<unit>', 'its UID, as kitchen-lamp'))
    .description('erase everything that is stored about a unit, from the store and from its backups')
    .action(async (unit: string, options: BaseOptions) => {
      const base = await BaseClient.findIfThere(options);
      if (base !== undefined)
        await base.request('DELETE', `/api/v1/units/${encodeURIComponent(unit)}`, undefined, FORGET_MS);
      else {
        // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
        const { findStore, forget } = await import('./offline-store.js');
        await forget(await findStore(options.config), unit);
      }
      if (program.opts<{ json?: boolean }>().json) return printJson({ unit, forgotten: true });
      print(`Everything that was stored about ${unit} is erased, from the backups too.`);
      print('If it stands in units.known of the configuration, take it out there: what it reports is stored again.');
      print(
        'Your own copies, and files set aside beside the store (.damaged-, .before-restore-, .version-), may still hold it.',
      );
    });
}
