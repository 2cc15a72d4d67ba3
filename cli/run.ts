import { type Command, Option } from 'commander';

/** `baseunit run`: the base itself, from a configuration file, until it is told to stop. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the base from a configuration file, until SIGINT or SIGTERM')
    .requiredOption('-c, --config <file>', "base.json, or the original iot-base's config.json")
    .addOption(
      new Option('--log-level <level>', 'how much is told').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .action(async ({ config, logLevel }: { config: string; logLevel: string }) => {
      // Commands load what they alone need when they run: on a Pi, all of it takes seconds.
      const { runBase } = await import('./run-base.js');
      await runBase({ config, logLevel, isJson: program.opts<{ json?: boolean }>().json === true });
    });
}
