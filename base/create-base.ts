import type { StatusApi } from './api/connector/status-api.js';
import { Base } from './base-program.js';
import { openApiToken } from './config/api-token.js';
import { type Definitions, loadDefinitions } from './config/definitions.js';
import { loadConfiguration } from './config/load-config.js';
import { makeStateFolder, openStateFolder } from './config/state-folder.js';
import type { ConnectionStatistics } from './core/connection-statistics.js';
import type { Log } from './core/log.js';
import type { CoreMessage } from './core/messages.js';
import type { AuthenticateDevice } from './dialects/connector/connector-options.js';
import { loadHandlers } from './load-handlers.js';
import { logLines } from './log-lines.js';
import { systemClock, systemRandom } from './system.js';
import { version } from './version.js';

export interface CreateBaseOptions {
  /** Path of the configuration file: `base.json`, or one of the originals' own. */
  readonly config: string;
  /** Where figures of connections are kept. Default: in memory. */
  readonly statistics?: ConnectionStatistics;
  /** Serves status and control in place of the connector's HTTP API. */
  readonly statusApi?: StatusApi;
  /** Decides which devices may connect over WebSocket, in place of `connector.deviceAuth`. */
  readonly authenticate?: AuthenticateDevice;
  /** One line an event; pino's logger fits. Default: JSON lines on stdout. */
  readonly log?: Log;
  /** Folder for what outlives the process, made when it is not there. Default: systemd's `STATE_DIRECTORY`, or `.baseunit` beside the file. */
  readonly stateFolder?: string;
  /** Bearer token of the HTTP API. Default: the one in the state folder, made at the first start. */
  readonly token?: string;
  /** Unit types by name. Default: those of the project's `units/`. */
  readonly definitions?: Definitions;
  /** Hears every message of units and about them, as a terminal does that shows them. */
  readonly hear?: (message: CoreMessage) => void | Promise<void>;
}

/**
 * A base of a configuration file, not started yet. Rejects with ConfigurationError, which says everything that is wrong, or
 * DefinitionError.
 */
export async function createBase(options: CreateBaseOptions): Promise<Base> {
  const { config, log = logLines(), hear, statistics, statusApi, authenticate } = options;
  const { configuration, warnings } = loadConfiguration(config, options.definitions ?? (await loadDefinitions()));
  const handlers = await loadHandlers(configuration.handlers);
  const stateFolder =
    options.stateFolder === undefined
      ? openStateFolder({ environment: process.env, configFile: config })
      : makeStateFolder(options.stateFolder);
  const token = options.token ?? openApiToken(stateFolder, systemRandom);
  for (const warning of warnings) log.warn({ file: config }, warning);
  const machine = { clock: systemClock, random: systemRandom };
  const own = { statistics, statusApi, authenticate, hear };
  const base = new Base({ configuration, token, version, stateFolder, log, ...own, ...machine });
  for (const handler of handlers) base.use(handler);
  return base;
}
