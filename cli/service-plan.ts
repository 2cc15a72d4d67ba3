import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { credentialName } from '../base/config/credentials.js';
import { loadDefinitions } from '../base/config/definitions.js';
import { loadConfiguration } from '../base/config/load-config.js';
import { parseJsonText } from '../base/core/json-text.js';
import { serialPortsOf } from '../base/links/serial/port-watch.js';
import { projectRoot } from '../base/project-root.js';
import { ConfigurationError } from '../protocol/errors.js';
import { namedFiles } from './doctor/named-files.js';
import { serviceEnvironment, serviceState, serviceUnit, shownFolders } from './service-unit.js';

/** What can be said in a unit without quotes, which each of its settings understands in its own way. */
const plainPath = /^[A-Za-z0-9_./@+,=~-]+$/;
const serviceName = /^[a-z][a-z0-9-]{0,63}$/;
const READ_BY_ALL = 0o004;
const SEARCHED_BY_ALL = 0o001;

/** What `baseunit service` would write, and what there is to be said about it. */
export interface ServicePlan {
  readonly unit: string;
  /** What will not work as it does in a terminal, with what to do. */
  readonly warnings: readonly string[];
}

/**
 * The service of a configuration. Throws ConfigurationError where that is wrong, or where the service could not read what
 * it needs.
 */
export async function planService({ config, name }: { config: string; name: string }): Promise<ServicePlan> {
  if (!serviceName.test(name))
    throw invalid(`${JSON.stringify(name)} is no name for a service: write small letters, digits and "-"`);
  const { configuration } = loadConfiguration(config, await loadDefinitions());
  const file = configuration.file;
  const folder = dirname(file);
  const node = process.execPath;
  const folders = [folder, dirname(dirname(node)), ...configuration.handlers.map(dirname)];
  const text = readFileSync(file, 'utf8');
  const parsed = parseJsonText(text.replace(/^\uFEFF/, ''));
  const named = namedFiles(parsed.ok ? parsed.value : {}, folder);
  const secrets = [
    file,
    ...named.secrets.map((secret) => secret.file),
    ...named.pairs.flatMap(({ cert, key }) => [cert, key]),
  ];
  for (const path of [node, projectRoot, ...folders, ...secrets])
    if (!plainPath.test(path))
      throw invalid(
        `a service cannot use ${JSON.stringify(path)}: put it where its path has letters, digits and "._/@+,=~-" only`,
      );
  const readable = [
    join(projectRoot, 'package.json'),
    join(projectRoot, 'cli', 'baseunit.mjs'),
    join(projectRoot, 'dist', 'built'),
    join(projectRoot, 'node_modules', 'ws', 'package.json'),
    node,
    ...configuration.handlers,
  ];
  const shown = shownFolders([projectRoot, ...folders]);
  for (const path of readable) checkReadable(path, shown);
  const { iotsocket, store, shutdownTimeoutMs: shutdownMs } = configuration;
  const state = serviceState(name);
  const warnings = [
    ...writableWarning('iotsocket.accessList', iotsocket?.accessList, 'acl.json', state),
    ...writableWarning('store.file', store.file, 'baseunit.db', state),
    ...environmentWarning(text, name),
  ];
  const unit = serviceUnit({
    name,
    description: `baseunit ${configuration.name.replace(/[^\p{L}\p{N} ._-]/gu, '')}`.trim(),
    node,
    project: projectRoot,
    config: file,
    folders,
    credentials: new Map(secrets.map((path) => [credentialName(path), path])),
    shutdownMs,
    hasSerialPorts: serialPortsOf(configuration.units?.known ?? []).size > 0,
  });
  return { unit, warnings };
}

/** Everybody must be able to: the service has a user of its own. What is above a folder that it is shown, it does not meet. */
function checkReadable(path: string, shown: readonly string[]): void {
  const modeOf = (at: string): number => {
    try {
      return statSync(at).mode;
    } catch (cause) {
      throw invalid(`the service needs ${at}, which cannot be looked at (${(cause as NodeJS.ErrnoException).code})`);
    }
  };
  const refuse = (at: string, chmod: string): never => {
    throw invalid(
      `the service could not read ${at}, since it runs as a user of its own: chmod ${chmod} ${at} (or move the project to /opt)`,
    );
  };
  if ((modeOf(path) & READ_BY_ALL) === 0) refuse(path, 'o+r');
  let above = dirname(path);
  for (; above !== dirname(above); above = dirname(above)) {
    if ((modeOf(above) & SEARCHED_BY_ALL) === 0) refuse(above, 'o+rx');
    if (shown.includes(above)) return;
  }
}

function writableWarning(path: string, file: string | undefined, example: string, state: string): string[] {
  if (file === undefined || resolve(file).startsWith(`${state}/`)) return [];
  return [
    `${path} is ${file}, which the service may not write: write "${state}/${example}" in the configuration, and bring what is in the file there`,
  ];
}

function environmentWarning(text: string, name: string): string[] {
  const names = [...new Set(Array.from(text.matchAll(/"env:([A-Za-z_][A-Za-z0-9_]*)"/g), ([, variable]) => variable!))];
  if (names.length === 0) return [];
  return [
    `the configuration names ${names.map((each) => `env:${each}`).join(', ')}: write ${names.map((each) => `${each}=…`).join(', ')}, a line each, into ${serviceEnvironment(name)} (mode 0600)`,
  ];
}

const invalid = (message: string): ConfigurationError => new ConfigurationError('config-invalid', message);
