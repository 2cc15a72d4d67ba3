import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { ConfigProblem } from '../../base/config/config-problems.js';
import { warningOfMode } from '../../base/config/secrets.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import { shellWord } from './shell-word.js';

const found = findingsOf('configuration');

type CheckedFile = Pick<Examination, 'shownFile' | 'file' | 'reading' | 'files' | 'configuration'>;

/** More are counted, not listed: nobody reads them. */
const MAX_LISTED = 50;

/**
 * Whether the configuration can be read and used: everything that is wrong with it, each with its path. What other checks
 * say better is left to them: pairs of certificates, and files that others may read.
 */
export function checkConfigurationFile(examination: CheckedFile): Finding[] {
  const { shownFile, reading, files } = examination;
  const edit = `nano ${shellWord(shownFile)}`;
  const ofDefinition =
    reading.definitionError === undefined
      ? []
      : [found('definition-broken', 'units/', reading.definitionError, 'npx baseunit generate --check')];
  if (reading.kind === 'absent') {
    const cause = 'is not here: name one with -c. Without a configuration there is only the demonstration (npm start)';
    return [...ofDefinition, found('configuration-absent', shownFile, cause)];
  }
  if (reading.error !== undefined)
    return [...ofDefinition, found('configuration-unreadable', shownFile, reading.error, edit)];
  const ofPair = new Set(files.pairs.flatMap(({ path }) => path.split(', ').flatMap(pathsOfPair)));
  const problems = reading.problems.filter(({ path }) => !ofPair.has(path));
  const left = problems.length - MAX_LISTED;
  const rest = left > 0 ? [found('configuration-invalid', shownFile, `has ${left} problems more`, edit)] : [];
  const ofMode = modeWarnings(examination);
  const warnings = reading.warnings.filter((warning) => !ofMode.has(warning));
  return [
    ...ofDefinition,
    ...(problems.length > 0 ? [] : [found('configuration-valid', shownFile, valid(reading.problems.length))]),
    ...problems.slice(0, MAX_LISTED).map((problem) => problemFinding(problem, shownFile, edit)),
    ...rest,
    ...warnings.map((warning) => found('configuration-warning', shownFile, warning, edit)),
  ];
}

const valid = (problemsElsewhere: number): string =>
  problemsElsewhere === 0 ? 'can be used' : 'can be used when its certificates can, of which is said below';

const pathsOfPair = (path: string): string[] =>
  ['cert', 'key', 'SSLCrtFilename', 'SSLKeyFilename'].map((name) => `${path}.${name}`);

function problemFinding({ path, what, isSecret }: ConfigProblem, shownFile: string, edit: string): Finding {
  const subject = path === '' ? shownFile : `${shownFile}: ${path}`;
  const [, variable] = (isSecret === true && /the environment variable (\w+), /.exec(what)) || [];
  if (variable === undefined) return found('configuration-invalid', subject, what, edit);
  // A service has its own environment, which is not seen from a terminal.
  return found(
    'secret-unset',
    subject,
    `${what} (here; a service may have it set, which sudo can see)`,
    `export ${variable}=…`,
  );
}

/** What reading the configuration says of files that others may read: the check of the files tells it with its command. */
function modeWarnings({ file, files, configuration }: CheckedFile): ReadonlySet<string | undefined> {
  const list = configuration?.iotsocket?.accessList;
  const named: readonly (readonly [path: string, shown: string])[] = [
    [file, basename(file)],
    ...(list === undefined ? [] : ([[list, basename(list)]] as const)),
    ...files.secrets.map(({ file: path, written }) => [path, written] as const),
    ...files.pairs.map(({ key, writtenKey }) => [key, writtenKey] as const),
  ];
  return new Set(named.filter(([path]) => existsSync(path)).map(([path, shown]) => warningOfMode(path, shown)));
}
