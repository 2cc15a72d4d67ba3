import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ConfigProblem, InvalidConfigurationError } from '../../base/config/config-problems.js';
import { type Configuration, DEFAULT_STORE } from '../../base/config/configuration.js';
import { type Definitions, loadDefinitions } from '../../base/config/definitions.js';
import { type LoadedConfiguration, loadConfiguration } from '../../base/config/load-config.js';
import { findRunning } from '../../base/config/running-file.js';
import { checkConfiguration } from '../../base/config/schema.js';
import { Secrets } from '../../base/config/secrets.js';
import { stateFolderPath } from '../../base/config/state-folder.js';
import { parseJsonText } from '../../base/core/json-text.js';
import { storageOf } from '../../base/storage.js';
import type { BaseUnitError } from '../../protocol/errors.js';
import { isAnswering } from '../running-base.js';
import { type InstalledService, installedService, processOfService } from './installed-service.js';
import { type NamedFiles, namedFiles } from './named-files.js';
import { processAt } from './processes.js';
import { type System, textAt } from './system.js';

/** Where a command that names no configuration looks for one. */
const OWN_FILE = 'base.json';

/** What is looked at, once for all checks. */
export interface Examination {
  readonly system: System;
  /** Absolute path of the configuration. */
  readonly file: string;
  /** As the user named it. */
  readonly shownFile: string;
  readonly reading: Reading;
  /** What can be used of it; `undefined`: nothing. */
  readonly configuration: Configuration | undefined;
  /** Sections that are wrong; they are not in {@link configuration}. */
  readonly broken: ReadonlySet<string>;
  /** Files that the configuration names, as far as it is JSON. */
  readonly files: NamedFiles;
  readonly stateFolder: string;
  /** Absolute path of the store. */
  readonly store: string;
  /** The base that runs with it. */
  readonly running: FoundBase | undefined;
  /** A base whose process is there, and which does not answer. */
  readonly silent: FoundBase | undefined;
  readonly service: InstalledService | undefined;
}

/** A base that runs, as far as this user may know of it. */
export interface FoundBase {
  readonly pid: number;
  /** Of its API. */
  readonly url?: string | undefined;
  /** Unix ms. */
  readonly startedAt?: number | undefined;
}

/** How reading the configuration went. */
export interface Reading {
  readonly kind: 'absent' | 'unreadable' | 'invalid' | 'valid';
  /** Why it is unreadable. */
  readonly error?: string;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly string[];
  /** Why a definition cannot be loaded. */
  readonly definitionError: string | undefined;
}

export interface ExamineOptions {
  readonly system: System;
  /** The configuration file. Default: `base.json`, if it is there. */
  readonly config?: string | undefined;
  /** Default: the project's own. */
  readonly definitions?: () => Promise<Definitions>;
}

/** Reads what all checks need. Never rejects for what is wrong with the configuration. */
export async function examine({ system, config, definitions = loadDefinitions }: ExamineOptions): Promise<Examination> {
  const shownFile = config ?? OWN_FILE;
  const file = resolve(shownFile);
  const folder = dirname(file);
  const { environment } = system;
  const service = installedService(system.root, file);
  const isOfService = service?.isOfConfiguration === true && environment.STATE_DIRECTORY === undefined;
  // What is set here goes first: it is what the user tries.
  const ofService = isOfService ? { ...service.environment, ...environment } : environment;
  const own = stateFolderPath({ environment, configFile: file });
  const stateFolder = (isOfService ? service.stateFolder : undefined) ?? own;
  const found = findRunning(stateFolder);
  const [read, isThere, pidOfService] = await Promise.all([
    readConfiguration(shownFile, config !== undefined, ofService, definitions),
    found === undefined ? false : isAnswering(found.url),
    found === undefined && isOfService ? processOfService(service.name, system) : undefined,
  ]);
  const { reading, configuration, broken } = read;
  const isSilent = found !== undefined && !isThere && processAt(system.root, found.pid)?.isBaseunit === true;
  const raw = rawOf(file);
  return {
    system,
    file,
    shownFile,
    reading,
    configuration,
    broken,
    files: namedFiles(raw, folder),
    stateFolder,
    store: storageOf(configuration?.store ?? DEFAULT_STORE, stateFolder).file,
    running: isThere ? found : pidOfService === undefined ? undefined : { pid: pidOfService },
    silent: isSilent ? found : undefined,
    service,
  };
}

type Read = Pick<Examination, 'reading' | 'configuration' | 'broken'>;

async function readConfiguration(
  shownFile: string,
  isNamed: boolean,
  environment: System['environment'],
  loadAll: () => Promise<Definitions>,
): Promise<Read> {
  let definitions: Definitions = new Map();
  let definitionError: string | undefined;
  try {
    definitions = await loadAll();
  } catch (error) {
    definitionError = (error as Error).message;
  }
  const none = { configuration: undefined, broken: new Set<string>() };
  const nothing = { problems: [], warnings: [], definitionError };
  if (!isNamed && !existsSync(shownFile)) return { ...none, reading: { kind: 'absent', ...nothing } };
  let loaded: LoadedConfiguration;
  try {
    loaded = loadConfiguration(shownFile, definitions, environment);
  } catch (error) {
    if (!(error instanceof InvalidConfigurationError)) {
      const { message } = error as BaseUnitError;
      return { ...none, reading: { kind: 'unreadable', error: message, ...nothing } };
    }
    // Without definitions no name of one can be right.
    const isOfDefinition = ({ path }: ConfigProblem): boolean => /^units\.known\..*\.definition$/.test(path);
    const problems = error.problems.filter((problem) => definitionError === undefined || !isOfDefinition(problem));
    const rest = withoutBroken(resolve(shownFile), definitions, environment, error.problems);
    return { ...rest, reading: { kind: 'invalid', ...nothing, problems } };
  }
  const { configuration, warnings } = loaded;
  return { ...none, configuration, reading: { kind: 'valid', ...nothing, warnings } };
}

/** What can be used of a file in our own form when the sections with problems are taken out. */
function withoutBroken(
  file: string,
  definitions: Definitions,
  environment: System['environment'],
  problems: readonly ConfigProblem[],
): Pick<Read, 'configuration' | 'broken'> {
  const broken = new Set(problems.map(sectionOf));
  const raw = rawOf(file);
  if (typeof raw !== 'object' || raw === null) return { configuration: undefined, broken };
  // What is left may be wrong in another way; each turn takes a section out.
  for (let turn = 0; turn <= Object.keys(raw).length; turn += 1) {
    const rest = Object.fromEntries(Object.entries(raw).filter(([name]) => !broken.has(name)));
    const checked = checkConfiguration(rest, file, definitions, new Secrets(dirname(file), environment));
    if (checked.ok) return { configuration: checked.value, broken };
    for (const problem of checked.problems) broken.add(sectionOf(problem));
  }
  return { configuration: undefined, broken };
}

/** `units.known.lamp.key` → `units`; `webhooks[0].url` → `webhooks`. */
const sectionOf = ({ path }: ConfigProblem): string => /^[^.[]*/.exec(path)![0];

/** The file's JSON; `undefined` when it is none. */
function rawOf(file: string): unknown {
  const parsed = parseJsonText((textAt(file) ?? '').replace(/^\uFEFF/, ''));
  return parsed.ok ? parsed.value : undefined;
}
