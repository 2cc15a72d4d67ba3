import type { Command } from 'commander';

/** The options by which a command finds the base to talk to (running-base.ts, BaseOptions). */
export function withBaseOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration file the base was started with')
    .option('--url <url>', "the base's HTTP API, when it runs elsewhere")
    .option('--token <token>', 'bearer token of that API (or BASEUNIT_TOKEN)');
}
