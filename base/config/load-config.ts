import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { ConfigurationError } from '../../protocol/errors.js';
import { isSerial } from '../core/address.js';
import { parseJsonText } from '../core/json-text.js';
import { InvalidConfigurationError } from './config-problems.js';
import type { Configuration } from './configuration.js';
import { connectorWarnings } from './connector-warnings.js';
import { readablePath } from './credentials.js';
import type { Definitions } from './definitions.js';
import { elfinWarnings } from './elfin-warnings.js';
import { handlersWarnings } from './handlers-schema.js';
import { iotsocketWarnings, originalNames, ownNames } from './iotsocket-warnings.js';
import { checkLegacyConfiguration, isLegacyFile } from './legacy-config.js';
import { checkLegacyIotsocket, isLegacyIotsocketFile, warningOfMeaningless } from './legacy-iotsocket.js';
import { checkConfiguration } from './schema.js';
import { Secrets, warningOfMode } from './secrets.js';
import { yamqttWarnings } from './yamqtt-warnings.js';

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** What works but should be known: files that others may read, units without authentication, events in clear. */
  readonly warnings: readonly string[];
}

/** 16 384 units of 60 octets each fit. */
const MAX_FILE_OCTETS = 1024 * 1024;

/**
 * Reads `base.json`, or the `config.json` of the original iot-base or the original concentrator, recognised by its keys.
 * Throws ConfigurationError: `config-unreadable`, `config-not-json` (with line and column), or an
 * {@link InvalidConfigurationError} with everything that is wrong.
 */
export function loadConfiguration(
  path: string,
  definitions: Definitions,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): LoadedConfiguration {
  const file = resolve(path);
  const parsed = parseJsonText(readText(path, readablePath(file, environment), file));
  if (!parsed.ok) {
    const { line, column, what } = parsed.fault;
    throw new ConfigurationError('config-not-json', `${path}:${line}:${column}: ${what}`);
  }
  const secrets = new Secrets(dirname(file), environment);
  const isOriginalConcentrator = isLegacyIotsocketFile(parsed.value);
  const checked = isOriginalConcentrator
    ? checkLegacyIotsocket(parsed.value, file, secrets)
    : isLegacyFile(parsed.value)
      ? checkLegacyConfiguration(parsed.value, file, secrets)
      : checkConfiguration(parsed.value, file, definitions, secrets);
  if (!checked.ok) throw new InvalidConfigurationError(path, checked.problems);
  const ofFile = secrets.isAnyInFile ? warningOfMode(file, basename(path)) : undefined;
  const { iotsocket, connector, elfin, yamqtt, handlers } = checked.value;
  const warnings = [
    ofFile,
    ...secrets.warnings,
    ...warningsOf(checked.value),
    ...(iotsocket ? iotsocketWarnings(iotsocket, isOriginalConcentrator ? originalNames : ownNames) : []),
    ...(connector ? connectorWarnings(connector) : []),
    ...(elfin ? elfinWarnings(elfin) : []),
    ...(yamqtt ? yamqttWarnings(yamqtt) : []),
    ...handlersWarnings(handlers),
    isOriginalConcentrator ? warningOfMeaningless(parsed.value) : undefined,
  ];
  return { configuration: checked.value, warnings: warnings.filter((warning) => warning !== undefined) };
}

/** `path` as it was given, `readable` where it can be read, `file` absolute. */
function readText(path: string, readable: string, file: string): string {
  try {
    const { size } = statSync(readable);
    if (size > MAX_FILE_OCTETS) throw new RangeError(`it has ${size} octets; at most ${MAX_FILE_OCTETS} are read`);
    return readFileSync(readable, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing
      ? `does not exist; it is looked for at ${file}`
      : `cannot be read: ${(cause as Error).message}`;
    throw new ConfigurationError('config-unreadable', `the configuration file ${path} ${why}`, { cause });
  }
}

function warningsOf({ units, pusher }: Configuration): string[] {
  const warnings = (units?.known ?? [])
    .filter(({ definition, address }) => definition.wire === 'line' && !(address !== undefined && isSerial(address)))
    .map(({ uid, isLegacy }) => {
      const path = isLegacy ? 'clients' : 'units.known';
      return `${path}: ${uid} is a line unit, which has no authentication: anyone on its network can speak in its name or to it`;
    });
  if (pusher?.host !== undefined && !pusher.tls) {
    warnings.push(`pusher.tls is false: what is said with ${pusher.host} travels in clear`);
  }
  return warnings;
}
