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

interface RunOptions {
  /** The configuration file. */
  readonly config: string;
  readonly logLevel: string;
  /** Log lines as JSON on a terminal too. */
  readonly isJson: boolean;
}

/** Runs the base of a configuration file until the process is told to stop. */
export async function runBase({ config, logLevel, isJson }: RunOptions): Promise<void> {
  const log = openLog(logLevel, isJson);
  const { configuration, warnings } = loadConfiguration(config, await loadDefinitions());
  const stateFolder = openStateFolder({ environment: process.env, configFile: config });
  const token = openApiToken(stateFolder, systemRandom);
  for (const warning of warnings) log.warn({ file: config }, warning);

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
}

const runningBase = (url: string, configFile: string) => ({ pid: process.pid, url, startedAt: Date.now(), configFile });

/** One JSON line an event; on a terminal, for people. */
function openLog(level: string, isJson: boolean): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (isJson || process.stdout.isTTY !== true) return pino(options, pino.destination({ dest: 1, sync: true }));
  const isPlain = (process.env.NO_COLOR ?? '') !== '';
  return pino(options, pretty({ colorize: !isPlain, translateTime: 'SYS:HH:MM:ss', sync: true }));
}
