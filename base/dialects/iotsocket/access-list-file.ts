import { ConfigurationError } from '../../../protocol/errors.js';
import { KEY_OCTETS } from '../../../protocol/iotsocket/uid.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { parseJsonText } from '../../core/json-text.js';
import { peerText } from '../../core/log.js';
import { readBounded } from '../../engine/bounded-file.js';
import { writeDurablyAsync } from '../../engine/durable-file.js';
import type { AccessEntry } from './access-entry.js';

/** An entry as people indent it: two names of 16 octets, all of them escaped, 32 digits, and blanks. */
const MAX_ENTRY_OCTETS = 512;
/** For the braces, and what somebody wrote above. */
const MAX_OTHER_OCTETS = 4_096;
/** More wrong entries are counted, not listed. */
const MAX_LISTED = 20;

const hexKey = new RegExp(`^[0-9a-fA-F]{${2 * KEY_OCTETS}}$`);

/** The most octets that a file with so many entries may have. */
export const maxFileOctets = (maxEntries: number): number => MAX_OTHER_OCTETS + maxEntries * MAX_ENTRY_OCTETS;

/** Where the list before the present one is kept. */
export const previousPath = (path: string): string => `${path}.prev`;

/**
 * The access list in a file, `{UID: {GroupName, AuthKey}}` with the key in hexadecimal digits (wire/iotsocket.md); a file
 * that is not there is an empty list. Looks at the form only: what the entries say is for `checkAccessList`. Rejects with
 * ConfigurationError: `config-unreadable`, `config-not-json` with line and column, `config-invalid` with the UID of each
 * wrong entry. Keys are never in a message.
 */
export async function readAccessList(path: string, maxEntries: number): Promise<AccessEntry[]> {
  const text = await textOf(path, maxEntries);
  if (text === undefined) return [];
  const own = ownEntries(text, maxEntries);
  if (own !== undefined) return own;
  const parsed = parseJsonText(text, true);
  if (!parsed.ok) {
    const { line, column, what } = parsed.fault;
    throw new ConfigurationError('config-not-json', `${path}:${line}:${column}: ${what}`);
  }
  const { entries, problems } = entriesOf(parsed.value, maxEntries);
  if (problems.length > 0) throw invalid(path, problems);
  return entries;
}

/**
 * Puts a list into the file, whole or not at all, for its owner alone to read; the list before is kept at
 * {@link previousPath}. One at a time: the caller sees to it. Rejects with ConfigurationError `config-unreadable`; the old
 * list is then still there.
 */
export async function writeAccessList(path: string, entries: readonly AccessEntry[]): Promise<void> {
  try {
    await writeDurablyAsync(path, fileText(entries), previousPath(path));
  } catch (cause) {
    throw new ConfigurationError(
      'config-unreadable',
      `the file ${path} cannot be written: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/** Written by hand, a line an entry: an object of ours would put UIDs that look like numbers first. */
function fileText(entries: readonly AccessEntry[]): string {
  const lines = entries.map(
    ({ uid, group, key }) => `  ${JSON.stringify(uid)}: ${JSON.stringify({ GroupName: group, AuthKey: toHex(key) })}`,
  );
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}

/** Of a file that {@link writeAccessList} wrote: it has no fault, and no name twice, which takes longer to look for. */
function ownEntries(text: string, maxEntries: number): AccessEntry[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { entries, problems } = entriesOf(value, maxEntries);
  return problems.length === 0 && fileText(entries) === text ? entries : undefined;
}

function entriesOf(value: unknown, maxEntries: number): { entries: AccessEntry[]; problems: string[] } {
  const entries: AccessEntry[] = [];
  if (!isObject(value)) {
    return { entries, problems: ['must be an object: { "UID": { "GroupName": "…", "AuthKey": "…" } }'] };
  }
  const written = Object.entries(value);
  if (written.length > maxEntries) {
    const what = `has ${written.length} entries; at most ${maxEntries} are taken (limits.accessListEntries)`;
    return { entries, problems: [what] };
  }
  const problems: string[] = [];
  for (const [uid, each] of written) {
    const entry = entryOf(uid, each);
    if (typeof entry === 'string') problems.push(`entry ${JSON.stringify(peerText(uid))}: ${entry}`);
    else entries.push(entry);
  }
  return { entries, problems };
}

/** What is wrong with it, as a text; other names than the two are passed over, as the original does. */
function entryOf(uid: string, value: unknown): AccessEntry | string {
  if (!isObject(value)) return 'must be an object with GroupName and AuthKey';
  const { GroupName: group, AuthKey: key } = value;
  if (typeof group !== 'string') return 'GroupName is missing or no string';
  if (typeof key !== 'string' || !hexKey.test(key)) return `AuthKey must be ${2 * KEY_OCTETS} hexadecimal digits`;
  return { uid, group, key: fromHex(key) };
}

/** `undefined`: there is no such file. */
async function textOf(path: string, maxEntries: number): Promise<string | undefined> {
  try {
    const octets = await readBounded(path, maxFileOctets(maxEntries));
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const why = cause instanceof TypeError ? 'it is not UTF-8' : (cause as Error).message;
    throw new ConfigurationError('config-unreadable', `the file ${path} cannot be read: ${why}`, { cause });
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(path: string, problems: readonly string[]): ConfigurationError {
  const listed = problems.slice(0, MAX_LISTED);
  if (problems.length > MAX_LISTED) listed.push(`and ${problems.length - MAX_LISTED} more`);
  return new ConfigurationError('config-invalid', `the file ${path}: ${listed.join('\n  ')}`);
}
