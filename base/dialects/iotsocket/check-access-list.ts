import { KEY_OCTETS, UID_OCTETS } from '../../../protocol/iotsocket/uid.js';
import { peerText } from '../../core/log.js';
import { suggest } from '../../core/suggest.js';
import type { AccessEntry } from './access-entry.js';

export interface AccessListRules {
  /** `limits.accessListEntries`. */
  readonly maxEntries: number;
  /** Who has this UID already, in words that follow "is": `a unit of units.known`; `undefined`: nobody. */
  readonly takenBy: (uid: string) => string | undefined;
}

/** The groups of the configuration, by name. */
type Groups = Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>;

/** Nearly all are of this kind, and a list has thousands. */
const plainUid = new RegExp(`^[!-~]{1,${UID_OCTETS}}$`);
const encoder = new TextEncoder();

/**
 * What is wrong with an access list, and with which of its entries, counted from 1; `undefined`: it can be put in force.
 * One line, fit for a log and for an answer: names are cut and without control characters, keys are not in it.
 */
export function checkAccessList(
  entries: readonly AccessEntry[],
  groups: Groups,
  { maxEntries, takenBy }: AccessListRules,
): string | undefined {
  if (entries.length > maxEntries) {
    return `the list has ${entries.length} entries; at most ${maxEntries} are taken (limits.accessListEntries)`;
  }
  const seen = new Map<string, number>();
  for (const [index, { uid, group, key }] of entries.entries()) {
    const other = seen.get(uid);
    const owner = takenBy(uid);
    const problem =
      problemOfUid(uid) ??
      (other === undefined ? undefined : `entry ${other + 1} has the same UID; take one of them out`) ??
      (owner === undefined ? undefined : `the UID is ${owner}; give one of them another`) ??
      (groups.has(group) ? undefined : problemOfGroup(group, groups)) ??
      (key.length === KEY_OCTETS ? undefined : `the key has ${key.length} octets, not ${KEY_OCTETS}`);
    if (problem !== undefined) return `entry ${index + 1} (${quoted(uid)}): ${problem}`;
    seen.set(uid, index);
  }
  return undefined;
}

function problemOfUid(uid: string): string | undefined {
  if (plainUid.test(uid)) return undefined;
  if (uid === '') return "the empty UID is the central's; give the object one of its own";
  if (uid.includes('\0')) return 'the UID has a 00 in it, which fills shorter ones up; take it out';
  if (/\p{Surrogate}/u.test(uid)) return 'the UID has half a character in it, which UTF-8 does not have; take it out';
  const { length } = encoder.encode(uid);
  return length > UID_OCTETS ? `the UID has ${length} octets; at most ${UID_OCTETS} fit the protocol` : undefined;
}

function problemOfGroup(group: string, groups: Groups): string {
  const near = suggest(group, groups.keys());
  const what = near === undefined ? 'add it to the groups of the configuration' : `did you mean ${quoted(near)}?`;
  return `there is no group ${quoted(group)}; ${what}`;
}

const quoted = (name: string): string => JSON.stringify(peerText(name));
