import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { migrations } from '../../base/engine/embedded/schema.js';
import type { Examination } from './examination.js';
import { isHidden } from './file-mode.js';
import { type Finding, findingsOf } from './finding.js';
import { holderOfLock, type Process, processText } from './processes.js';
import { shellWord } from './shell-word.js';
import type { Space } from './system.js';

const found = findingsOf('store');

const MIB = 1_024 * 1_024;
/** Less than a busy day of reports. */
export const LOW_OCTETS = 256 * MIB;
/** Less than the write-ahead log may take, and a backup. */
export const OUT_OCTETS = 32 * MIB;

/** `statfs(2)`: file systems on which a store is not safe, and why. */
const badMedia: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs, which is memory: it is empty after a restart of the machine'],
  [0x858458f6, 'ramfs, which is memory: it is empty after a restart of the machine'],
  [0x4d44, 'FAT, which has no owners and no journal: a power cut can take more than the last words'],
  [0x2011bab0, 'exFAT, which has no owners and no journal: a power cut can take more than the last words'],
  [0x6969, 'NFS, over which locks and what was written are not certain'],
  [0xff534d42, 'a share of Windows (CIFS), over which locks and what was written are not certain'],
  [0xfe534d42, 'a share of Windows (SMB), over which locks and what was written are not certain'],
]);

const AS_ROOT = 'sudo npx baseunit doctor …';

/** https://www.sqlite.org/fileformat.html: 16 octets of text, and at 60 the version that the program gave it. */
const HEADER_OCTETS = 100;
const HEADER_TEXT = 'SQLite format 3\0';
const VERSION_AT = 60;

type Looked = Pick<Examination, 'store' | 'system' | 'running'>;

/** Whether the base can open its store and go on writing it. The file is only looked at: opening it would change it. */
export async function checkStore(examination: Looked): Promise<Finding[]> {
  const { store, system } = examination;
  const problem = await system.problemOfPackage('better-sqlite3');
  const ofLibrary =
    problem === undefined
      ? []
      : [found('store-library', 'SQLite', `cannot be used: ${problem}`, 'npm rebuild better-sqlite3')];
  if (isHidden(store))
    return [...ofLibrary, found('not-allowed', store, 'is for root and its own user alone to look at', AS_ROOT)];
  const folder = nearestFolder(dirname(store));
  const space = await system.spaceOf(folder).catch(() => undefined);
  return [...ofLibrary, checkFile(examination, folder), ...(space === undefined ? [] : checkMedium(folder, space))];
}

function checkFile({ store, system, running }: Looked, folder: string): Finding {
  const own = `sudo chown ${shellWord(system.user.name)} ${shellWord(folder)}`;
  if (!existsSync(store)) {
    if (system.mayUse(folder, 'both')) return found('store-later', store, "is made at the base's first start");
    return found('store-unwritable', store, `cannot be made: ${system.user.name} may not write to ${folder}`, own);
  }
  if (!statSync(store).isFile()) return found('store-foreign', store, 'is no file', `ls -ld ${shellWord(store)}`);
  const holder = heldBy(system.root, store);
  if (holder !== undefined && (holder.pid === running?.pid || (running === undefined && holder.isBaseunit)))
    return found('store-of-base', store, `is used by the running base (process ${holder.pid})`);
  if (holder !== undefined) {
    const cause = `is held by ${processText(holder)}: two cannot use it`;
    return found(
      'store-held',
      store,
      cause,
      holder.service === undefined ? `kill ${holder.pid}` : `sudo systemctl stop ${holder.service}`,
    );
  }
  if (!system.mayUse(store, 'both') || !system.mayUse(dirname(store), 'both')) {
    const cause = `${system.user.name} may not write it, or not to its folder`;
    return found(
      'store-unwritable',
      store,
      cause,
      `sudo chown ${shellWord(system.user.name)} ${shellWord(dirname(store))} ${shellWord(store)}`,
    );
  }
  return checkHeader(store);
}

function checkHeader(store: string): Finding {
  const header = headerOf(store);
  if (header.length === 0) return found('store-later', store, 'is empty, and is begun at the next start');
  if (header.length < HEADER_OCTETS || header.toString('latin1', 0, HEADER_TEXT.length) !== HEADER_TEXT) {
    const cause = 'is no SQLite file: the base would set it aside and begin a new one';
    return found('store-foreign', store, cause, 'npx baseunit restore …');
  }
  const version = header.readUInt32BE(VERSION_AT);
  if (version > migrations.length) {
    const cause = `was made by a later baseunit: its version is ${version}, and this one knows ${migrations.length}`;
    return found('store-newer', store, cause, 'git pull && npm install');
  }
  return found('store-ready', store, 'is there and can be written');
}

function checkMedium(folder: string, { freeOctets, type }: Space): Finding[] {
  const bad = badMedia.get(type);
  const ofMedium =
    bad === undefined
      ? []
      : [found('store-medium', folder, `is on ${bad}; set store.file to a place on a disk`, 'df -hT')];
  const free = `has ${Math.floor(freeOctets / MIB)} MiB free`;
  const show = `du -xh --max-depth=2 ${shellWord(folder)} | sort -h | tail`;
  if (freeOctets < OUT_OCTETS)
    return [
      ...ofMedium,
      found('store-space-out', folder, `${free}: nothing more can be stored, and no backup made`, show),
    ];
  if (freeOctets < LOW_OCTETS) return [...ofMedium, found('store-space-low', folder, `${free}: make room`, show)];
  return ofMedium;
}

function heldBy(root: string, store: string): Process | undefined {
  try {
    return holderOfLock(root, store);
  } catch {
    // It went away meanwhile.
    return undefined;
  }
}

function headerOf(path: string): Buffer {
  const header = Buffer.alloc(HEADER_OCTETS);
  const handle = openSync(path, 'r');
  try {
    return header.subarray(0, readSync(handle, header));
  } finally {
    closeSync(handle);
  }
}

/** What is not there yet is made in it. */
function nearestFolder(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : nearestFolder(dirname(folder));
}
