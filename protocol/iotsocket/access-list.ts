import { ProtocolError } from '../errors.js';
import { Cursor, OctetWriter } from '../octets.js';
import { decodeUid, encodeUid, KEY_OCTETS, UID_OCTETS } from './uid.js';

/** One object that may open a session. */
export interface AccessListEntry {
  /** Name of its group, at most 16 octets of UTF-8. */
  readonly group: string;
  /** 1 to 16 octets of UTF-8. */
  readonly uid: string;
  /** 16 octets. */
  readonly key: Uint8Array;
}

/** The first octet of the transmission: type 0, RTE 0. */
export const ACCESS_LIST_TYPE = 0x00;

const COUNT_OCTETS = 4;
const MAX_COUNT = 0xffff_ffff;
const ENTRY_OCTETS = UID_OCTETS + UID_OCTETS + KEY_OCTETS;
/** First room for entries: what is kept grows with what has come, not with what was announced. */
const FIRST_ROOM_OCTETS = 16 * ENTRY_OCTETS;

/**
 * The transmission that replaces the whole access list (wire/iotsocket.md, "Transmissions"). Octets, big-endian:
 *
 *     0      00
 *     1..4   count
 *     then   for each entry: group name 16, UID 16, auth key 16
 *
 * Throws RangeError for an entry that cannot be sent, naming it: an empty UID, a name of more than 16 octets or with a
 * `00`, a key of another length.
 */
export function encodeAccessList(entries: readonly AccessListEntry[]): Uint8Array {
  if (entries.length > MAX_COUNT) throw new RangeError(`an access list has at most ${MAX_COUNT} entries`);
  const writer = new OctetWriter().u8(ACCESS_LIST_TYPE).u32(entries.length, false);
  for (const { group, uid, key } of entries) {
    const name = JSON.stringify(uid);
    if (uid === '') throw new RangeError('an entry of the access list has no UID');
    if (uid.includes('\0') || group.includes('\0')) throw new RangeError(`a name at ${name} has a 00 inside`);
    if (key.length !== KEY_OCTETS) throw new RangeError(`the key of ${name} must have ${KEY_OCTETS} octets`);
    writer.octets(encodeUid(group)).octets(encodeUid(uid)).octets(key);
  }
  return writer.finish();
}

export type AccessListStep =
  | { readonly kind: 'more' }
  /** The list is whole; the last `rest` octets of what was pushed are behind it. */
  | { readonly kind: 'list'; readonly entries: readonly AccessListEntry[]; readonly rest: number }
  /** The session is over: answer close `00`. */
  | { readonly kind: 'bad'; readonly error: ProtocolError };

/**
 * Reads one access list as its octets come, from behind the first octet on. Until it is whole nothing of it counts. Keeps at
 * most the octets of the entries that were announced, and only those that have come. After `list` or `bad` it is done.
 */
export class AccessListReader {
  readonly #maxEntries: number;
  readonly #head = new Uint8Array(COUNT_OCTETS);
  #headUsed = 0;
  #count: number | undefined;
  #entries: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(options: {
    /** A list that announces more is refused before an entry has come. */ readonly maxEntries: number;
  }) {
    this.#maxEntries = options.maxEntries;
  }

  /** How many entries were announced; `undefined` until that is known. */
  get count(): number | undefined {
    return this.#count;
  }

  /** Octets of entries that are kept. */
  get kept(): number {
    return this.#entries.length;
  }

  push(octets: Uint8Array): AccessListStep {
    let at = 0;
    if (this.#count === undefined) {
      at = Math.min(COUNT_OCTETS - this.#headUsed, octets.length);
      this.#head.set(octets.subarray(0, at), this.#headUsed);
      this.#headUsed += at;
      if (this.#headUsed < COUNT_OCTETS) return { kind: 'more' };
      const count = new Cursor(this.#head).u32(false);
      if (count > this.#maxEntries) return bad('frame-too-long', tooMany(count, this.#maxEntries));
      this.#count = count;
    }
    const wanted = this.#count * ENTRY_OCTETS;
    const taken = Math.min(wanted - this.#used, octets.length - at);
    this.#keep(octets.subarray(at, at + taken), wanted);
    return this.#used < wanted ? { kind: 'more' } : this.#finish(octets.length - at - taken);
  }

  #keep(octets: Uint8Array, most: number): void {
    const needed = this.#used + octets.length;
    if (needed > this.#entries.length) {
      const grown = new Uint8Array(Math.min(most, Math.max(FIRST_ROOM_OCTETS, 2 * this.#entries.length, needed)));
      grown.set(this.#entries.subarray(0, this.#used));
      this.#entries = grown;
    }
    this.#entries.set(octets, this.#used);
    this.#used = needed;
  }

  #finish(rest: number): AccessListStep {
    const octets = this.#entries;
    const entries: AccessListEntry[] = [];
    for (let at = 0; at < this.#used; at += ENTRY_OCTETS) {
      const group = decodeUid(octets.subarray(at, at + UID_OCTETS));
      const uid = decodeUid(octets.subarray(at + UID_OCTETS, at + 2 * UID_OCTETS));
      const where = `entry ${entries.length + 1} of the access list`;
      if (group === undefined) return bad('frame-malformed', `the group of ${where} is not UTF-8`);
      if (uid === undefined) return bad('frame-malformed', `the UID of ${where} is not UTF-8`);
      if (uid === '') return bad('frame-malformed', `${where} has no UID`);
      entries.push({ group, uid, key: octets.slice(at + 2 * UID_OCTETS, at + ENTRY_OCTETS) });
    }
    this.#entries = new Uint8Array(0);
    return { kind: 'list', entries, rest };
  }
}

const tooMany = (count: number, most: number): string =>
  `an access list of ${count} entries was announced; ${most} are allowed`;
const bad = (code: 'frame-malformed' | 'frame-too-long', message: string): AccessListStep => ({
  kind: 'bad',
  error: new ProtocolError(code, message),
});
