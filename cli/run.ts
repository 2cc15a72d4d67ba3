import { type Command, Option } from 'commander';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import { startBase } from '../base/base.js';
import { openApiToken } from '../base/config/api-token.js';
import { loadDefinitions } from '../base/config/definitions.js';
import { loadConfiguration } from '../base/config/load-config.js';
import { announceRunning, withdrawRunning } from '../base/config/running-file.js';
import { openStateFolder } from '../base/config/state-folder.js';
import type { Log } from '../base/core/log.js';
import { systemClock, systemRandom } from '../base/system.js';
import { exitCodes } from './exit-codes.js';
import { untilStopped } from './until-stopped.js';
import { version } from './version.js';

/** `baseunit run`: the base itself, from a configuration file, until it is told to stop. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the base from a configuration file, until SIGINT or SIGTERM')
    .requiredOption('-c, --config <file>', "base.json, or the original iot-base's config.json")
    .addOption(
      new Option('--log-level <level>', 'how much is told').choices(['debug', 'info', 'warn', 'error']).default('info'),
    )
    .action(async (options: { config: string; logLevel: string }) => {
      const log = openLog(options.logLevel, program.opts<{ json?: boolean }>().json === true);
      const { configuration, warnings } = loadConfiguration(options.config, await loadDefinitions());
      const stateFolder = openStateFolder({ environment: process.env, configFile: options.config });
      const token = openApiToken(stateFolder, systemRandom);
      for (const warning of warnings) log.warn({ file: options.config }, warning);

      await untilStopped(async (signal) => {
        const base = await startBase({
          configuration,
          token,
          version,
          clock: systemClock,
          random: systemRandom,
          log,
          signal,
        });
        if (base.apiUrl !== undefined) announceRunning(stateFolder, runningBase(base.apiUrl, configuration.file));
        log.info(
          { name: configuration.name, version, api: base.apiUrl, units: base.router.list().length, state: stateFolder },
          'the base runs',
        );
        return async () => {
          log.info({}, 'stopping');
          withdrawRunning(stateFolder, process.pid);
          await base.stop();
          log.info({}, 'stopped');
        };
      });
      process.exitCode = exitCodes.ok;
    });
}

const runningBase = (url: string, configFile: string) => ({ pid: process.pid, url, startedAt: Date.now(), configFile });

/** One JSON line an event; on a terminal, for people. */
function openLog(level: string, isJson: boolean): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (isJson || process.stdout.isTTY !== true) return pino(options, pino.destination({ dest: 1, sync: true }));
  const isPlain = (process.env.NO_COLOR ?? '') !== '';
  return pino(options, pretty({ colorize: !isPlain, translateTime: 'SYS:HH:MM:ss', sync: true }));
}
