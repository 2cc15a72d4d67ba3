import { type DestinationStream, pino } from 'pino';
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

interface RunOptions {
  /** The configuration file. */
  readonly config: string;
  readonly logLevel: string;
  /** Log lines as JSON on a terminal too. */
  readonly isJson: boolean;
}

/** Runs the base of a configuration file until the process is told to stop. */
export async function runBase({ config, logLevel, isJson }: RunOptions): Promise<void> {
  const isForPeople = !isJson && process.stdout.isTTY === true;
  const lines = isForPeople ? await prettyLines() : pino.destination({ dest: 1, sync: true });
  const log: Log = pino({ level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime }, lines);
  const { configuration, warnings } = loadConfiguration(config, await loadDefinitions());
  const stateFolder = openStateFolder({ environment: process.env, configFile: config });
  const token = openApiToken(stateFolder, systemRandom);
  for (const warning of warnings) log.warn({ file: config }, warning);

  let hasFailed = false;
  await untilStopped(async (signal) => {
    const base = await startBase({
      configuration,
      token,
      version,
      stateFolder,
      clock: systemClock,
      random: systemRandom,
      log,
      signal,
      failed: () => {
        hasFailed = true;
        process.kill(process.pid, 'SIGTERM');
      },
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
  process.exitCode = hasFailed ? exitCodes.failed : exitCodes.ok;
}

const runningBase = (url: string, configFile: string) => ({ pid: process.pid, url, startedAt: Date.now(), configFile });

/** On a terminal, for people. */
async function prettyLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  const isPlain = (process.env.NO_COLOR ?? '') !== '';
  return pretty({ colorize: !isPlain, translateTime: 'SYS:HH:MM:ss', sync: true });
}
