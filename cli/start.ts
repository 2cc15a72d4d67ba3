import type { Command } from 'commander';

/** `baseunit start`, what `npm start` does: everything at once, without account, hardware or configuration. */
export function addStart(program: Command): void {
  program
    .command('start')
    .description('the demonstration: example units, base and hub on this machine, until Ctrl-C')
    .option('--simulate', 'use the TypeScript simulator instead of compiled firmware')
    .action(async (options: { simulate?: boolean }) => {
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const { runDemonstration } = await import('./demonstration.js');
      await runDemonstration({
        isSimulated: options.simulate === true,
        isJson: program.opts<{ json?: boolean }>().json === true,
      });
    });
}
