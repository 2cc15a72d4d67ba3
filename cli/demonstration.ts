import { join, relative } from 'node:path';
import { apiTokenPath } from '../base/config/api-token.js';
import { type Definitions, loadDefinitions } from '../base/config/definitions.js';
import { findRunning } from '../base/config/running-file.js';
import { openStateFolder } from '../base/config/state-folder.js';
import { createBase } from '../base/create-base.js';
import { writeDurably } from '../base/engine/durable-file.js';
import { logLines } from '../base/log-lines.js';
import { systemRandom } from '../base/system.js';
import { untilStopped } from '../base/until-stopped.js';
import { version } from '../base/version.js';
import { ConfigurationError } from '../protocol/errors.js';
import { toHex } from '../protocol/octets.js';
import { type DemonstrationUnit, startDemonstrationUnits } from './demonstration-units.js';
import { eventText } from './event-text.js';
import { exitCodes } from './exit-codes.js';
import { freePort } from './free-port.js';
import { print, printError, printJson, printTable, styled } from './terminal.js';

export interface DemonstrationOptions {
  /** The TypeScript simulator instead of compiled firmware. */
  readonly isSimulated: boolean;
  /** stdout gets what runs where, then each event, as JSON; what is said to people goes to stderr. */
  readonly isJson: boolean;
}

/** Of its stop the base has the most, its units the rest. */
const BASE_STOP_S = 3;
const STOP = { forceMs: 4_000 };
const CHANNEL = 'private-requests';

/** The example units, a base with its embedded hub, and what they say to each other, until Ctrl-C. */
export async function runDemonstration(options: DemonstrationOptions): Promise<void> {
  const stateFolder = openStateFolder({ environment: process.env });
  const other = findRunning(stateFolder);
  if (other !== undefined) {
    throw new ConfigurationError(
      'port-in-use',
      `a base runs here already (process ${other.pid}, ${other.url}); end that first, or look at it with: npx baseunit watch`,
    );
  }
  const definitions = await loadDefinitions();
  const { isSimulated, isJson } = options;
  const tell = isJson ? printError : print;
  await untilStopped(async (signal) => {
    tell(styled('bold', `baseunit ${version}: demonstration. Ctrl-C ends it.`));
    const lines = new HeldLines();
    const units = await startDemonstrationUnits({
      definitions,
      stateFolder,
      isSimulated,
      signal,
      tell,
      say: (line) => (isJson ? printError(line) : lines.print(line)),
    });
    const ends: (() => Promise<void>)[] = [() => units.stop()];
    const end = async (): Promise<void> => {
      for (let stop = ends.pop(); stop !== undefined; stop = ends.pop()) await stop();
    };
    try {
      const file = await writeConfiguration(stateFolder, units.units);
      const logFile = join(stateFolder, 'demonstration.log');
      const base = await createBase({
        config: file,
        definitions,
        stateFolder,
        log: logLines('info', logFile),
        hear: (message) => lines.print(isJson ? JSON.stringify(message) : eventText(message, definitions)),
      });
      ends.push(async () => {
        await base.stop();
        if (base.state === 'stopped') process.exitCode = exitCodes.failed;
      });
      await base.start(signal);
      const hub = `${base.hub!.host}:${base.hub!.port}`;
      if (isJson)
        printJson({ running: { api: base.apiUrl!, hub, units: units.units.map(({ key: _, ...unit }) => unit) } });
      else introduce(units.units, definitions, base.apiUrl!, hub, stateFolder, logFile);
      lines.release();
      return end;
    } catch (error) {
      await end();
      throw error;
    }
  }, STOP);
}

/** Lines that wait until the introduction is printed. */
class HeldLines {
  #held: string[] | undefined = [];

  print(line: string): void {
    if (this.#held === undefined) print(line);
    else this.#held.push(line);
  }

  release(): void {
    for (const line of this.#held ?? []) print(line);
    this.#held = undefined;
  }
}

/** The configuration a user would write for these units, in a file that only its owner can read: it holds keys. */
async function writeConfiguration(stateFolder: string, units: readonly DemonstrationUnit[]): Promise<string> {
  const hubPort = await freePort();
  const app = { id: 'demonstration', key: 'demonstration-key', secret: toHex(systemRandom.octets(16)) };
  const known = units.map(({ uid, definition, address, key }) => [
    uid,
    { definition, address, ...(key === undefined ? {} : { key }) },
  ]);
  const configuration = {
    name: 'demonstration',
    shutdownTimeoutS: BASE_STOP_S,
    http: { listen: '127.0.0.1:0' },
    store: { file: 'demonstration.db' },
    units: { known: Object.fromEntries(known) },
    hub: { listen: `127.0.0.1:${hubPort}`, apps: [app] },
    pusher: {
      key: app.key,
      appId: app.id,
      secret: app.secret,
      host: '127.0.0.1',
      port: hubPort,
      tls: false,
      channel: CHANNEL,
    },
  };
  const file = join(stateFolder, 'demonstration.json');
  writeDurably(file, `${JSON.stringify(configuration, null, 2)}\n`);
  return file;
}

function introduce(
  units: readonly DemonstrationUnit[],
  definitions: Definitions,
  apiUrl: string,
  hub: string,
  stateFolder: string,
  logFile: string,
): void {
  const here = (path: string): string => relative(process.cwd(), path) || path;
  print('');
  printTable(
    ['RUNNING', 'KIND', 'WHERE', 'WHAT'],
    [
      ...units.map((unit) => {
        const { kind, wire } = definitions.get(unit.definition)!.definition;
        return [unit.uid, kind, unit.address, `${unit.what}, ${wire === 'line' ? 'plain lines' : 'typed messages'}`];
      }),
      ['hub', 'server', hub, `Pusher protocol; the base listens on the channel ${CHANNEL}`],
      ['api', 'server', apiUrl, 'HTTP; its description is at /api/v1/openapi.json'],
    ],
  );
  print(`
Change the lamp through the Pusher channel, from another terminal in this folder:
  ${styled('green', `npx baseunit send led-lamp setColor '{"color":"#ff8800"}'`)}
or over HTTP:
  ${styled('green', `curl -s -H "Authorization: Bearer $(cat ${here(apiTokenPath(stateFolder))})" -H 'Content-Type: application/json' -d '{"command":"setColor","fields":{"color":"#00aaff"}}' ${apiUrl}/api/v1/units/led-lamp/commands`)}
Also: npx baseunit units, npx baseunit watch. The base's log: ${here(logFile)}

${styled('bold', 'Readings and what else happens, as it comes:')}`);
}
