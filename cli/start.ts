import type { Command } from 'commander';
import { runDemonstration } from './demonstration.js';

/** `baseunit start`, what `npm start` does: everything at once, without account, hardware or configuration. */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('the demonstration: example units, base and hub on this machine, until Ctrl-C')
    .option('--simulate', 'use the TypeScript simulator instead of compiled firmware')
    .action((options: { simulate?: boolean }) =>
      runDemonstration({
        isSimulated: options.simulate === true,
        isJson: program.opts<{ json?: boolean }>().json === true,
      }),
    );
}
