import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidConfigurationError } from '../../../base/config/config-problems.js';
import type { Configuration } from '../../../base/config/configuration.js';
import type { Definitions } from '../../../base/config/definitions.js';
import { type LoadedConfiguration, loadConfiguration } from '../../../base/config/load-config.js';
import { defineUnit, f32, rgb, u16 } from '../../../protocol/definition/index.js';
import { temporaryFolder } from './temporary-folder.js';

const units = [
  defineUnit({
    name: 'led-lamp',
    version: '1.0.0',
    kind: 'updatable',
    commands: { set: { number: 1, fields: { color: rgb() } } },
  }),
  defineUnit({
    name: 'light-sensor',
    version: '1.0.0',
    kind: 'read',
    wire: 'line',
    reports: { light: { number: 1, everyMs: 1_000, fields: { level: u16() } } },
  }),
  defineUnit({
    name: 'heater-line',
    version: '1.0.0',
    kind: 'updatable',
    wire: 'line',
    commands: { heat: { number: 1, fields: { celsius: f32() } } },
  }),
  defineUnit({
    name: 'probe',
    version: '1.0.0',
    kind: 'read',
    sleep: '10 min',
    reports: { soil: { number: 1, fields: { moisture: u16() } } },
  }),
];
export const definitions: Definitions = new Map(
  units.map((definition) => [definition.name, { definition, file: `units/${definition.name}.ts` }]),
);

export const KEY = '00112233445566778899aabbccddeeff';

/** Writes a file, mode 0600, and loads it. */
export function load(
  content: unknown,
  environment: Record<string, string> = {},
  folder = temporaryFolder(),
): LoadedConfiguration {
  const path = join(folder, 'base.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  chmodSync(path, 0o600);
  return loadConfiguration(path, definitions, environment);
}

export function configured(content: unknown, environment: Record<string, string> = {}): Configuration {
  return load(content, environment).configuration;
}

/** Everything wrong with a file, a line each: path, blank, what. */
export function problems(content: unknown, environment: Record<string, string> = {}): string[] {
  try {
    load(content, environment);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfigurationError) return error.problems.map(({ path, what }) => `${path} ${what}`);
    throw error;
  }
}
