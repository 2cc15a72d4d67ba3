import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { apiTokenPath } from '../../base/config/api-token.js';
import { warningOfMode } from '../../base/config/secrets.js';
import type { Examination } from './examination.js';
import { type FileMode, isHidden, modeOf } from './file-mode.js';
import { type Finding, findingsOf } from './finding.js';
import { shellWord } from './shell-word.js';

const found = findingsOf('files');

/** Of files with the same trouble; the rest is counted. */
const MAX_LISTED = 20;

const AS_ROOT = 'sudo npx baseunit doctor …';

interface PrivateFile {
  /** What it is: `pusher.secret`, `the API token`. */
  readonly what: string;
  readonly path: string;
}

type Looked = Pick<
  Examination,
  'file' | 'reading' | 'files' | 'configuration' | 'stateFolder' | 'store' | 'system' | 'service'
>;

/** Whether what is secret is there, and only its owner's to read: key files, the API token, the state folder, the store. */
export function checkFiles(examination: Looked): Finding[] {
  const { system, stateFolder, store } = examination;
  if (system.platform === 'win32') return [found('file-later', 'secret files', 'have no modes on this system')];
  const all = privateFiles(examination);
  const owners = ownersOf(examination);
  const looked = all.flatMap((file) => {
    const mode = modeOf(file.path, system.platform);
    return mode === undefined ? [] : [{ file, mode, trouble: troubleOf(file, mode, owners, system) }];
  });
  const troubles = looked.flatMap(({ trouble }) => trouble ?? []);
  const whole = looked.length - looked.filter(({ trouble }) => trouble !== undefined).length;
  const missing = [stateFolder, apiTokenPath(stateFolder), store].filter((path) => !existsSync(path));
  const hidden = [...new Set([...missing, ...all.map(({ path }) => path)])].filter(isHidden);
  const later = missing.filter((path) => !hidden.includes(path));
  return [
    ...(whole === 0
      ? []
      : [found('file-private', `${whole} secret ${whole === 1 ? 'file' : 'files'}`, privately(looked))]),
    ...bounded(troubles),
    ...(hidden.length === 0
      ? []
      : [
          found(
            'not-allowed',
            hidden.slice(0, MAX_LISTED).join(', '),
            'is for root and its own user alone to look at',
            AS_ROOT,
          ),
        ]),
    ...(later.length === 0 ? [] : [found('file-later', later.join(', '), "is made at the base's first start")]),
  ];
}

/** In the order in which a person looks for them. What a `file:` names and is not there, the configuration's check tells. */
function privateFiles({ file, reading, files, configuration, stateFolder, store }: Looked): PrivateFile[] {
  const holdsSecrets = existsSync(file) && reading.warnings.includes(warningOfMode(file, basename(file)) ?? '');
  const list = configuration?.iotsocket?.accessList;
  return [
    ...(holdsSecrets ? [{ what: 'the configuration', path: file }] : []),
    ...files.secrets.map(({ path, file: named }) => ({ what: path, path: named })),
    ...(list === undefined ? [] : [{ what: 'iotsocket.accessList', path: list }]),
    { what: 'the state folder', path: stateFolder },
    { what: 'the API token', path: apiTokenPath(stateFolder) },
    { what: 'the store', path: store },
  ];
}

/** Root's files and those of whoever owns the configuration are as good as one's own. */
function ownersOf({ file, system, service, stateFolder }: Looked): ReadonlySet<number | undefined> {
  const ownerOf = (path: string): number | undefined => modeOf(path, system.platform)?.uid;
  const ofConfiguration = ownerOf(file) ?? ownerOf(dirname(file));
  // A service has a user of its own, which owns its state.
  return new Set([0, system.user.uid, ofConfiguration, ...(service?.isOfConfiguration ? [ownerOf(stateFolder)] : [])]);
}

function troubleOf(
  { what, path }: PrivateFile,
  mode: FileMode,
  owners: ReadonlySet<number | undefined>,
  system: Looked['system'],
): Finding | undefined {
  const subject = `${what} ${path}`;
  const mend = `chmod ${mode.isFolder ? '700' : '600'} ${shellWord(path)}`;
  const own = `sudo chown ${system.user.name === '$USER' ? '$USER' : shellWord(system.user.name)} ${shellWord(path)}`;
  if (mode.isOpen)
    return found('file-open', subject, `${mode.text}: others than its owner may read or change it`, mend);
  if (!system.mayUse(path, 'read'))
    return found('file-unreadable', subject, `${system.user.name} may not read it`, own);
  if (!owners.has(mode.uid))
    return found('file-foreign', subject, `belongs to user ${mode.uid}, who may change it`, own);
  if (mode.isShared) return found('file-shared', subject, `${mode.text}: its group may read it`, mend);
  return undefined;
}

const privately = (
  looked: readonly { readonly file: PrivateFile; readonly trouble: Finding | undefined }[],
): string => {
  const names = looked.filter(({ trouble }) => trouble === undefined).map(({ file }) => file.what);
  const [shown, left] = [names.slice(0, 4), names.length - 4];
  return `only the owner may read: ${shown.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
};

/** With the keys of thousands of units in one folder, one command mends all. */
function bounded(troubles: readonly Finding[]): Finding[] {
  const left = troubles.length - MAX_LISTED;
  if (left <= 0) return [...troubles];
  const next = troubles[MAX_LISTED]!;
  const subject = `${left} more files`;
  return [...troubles.slice(0, MAX_LISTED), { ...next, subject, cause: `the same, or the like: ${next.subject}` }];
}
