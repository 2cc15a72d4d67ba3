import type { Database } from 'better-sqlite3';
import { decodeUid, UID_OCTETS } from '../../../protocol/iotsocket/uid.js';

/** RTE, in a transmission's first octet: a UID follows (wire/iotsocket.md, "Transmissions"). */
const RTE = 0x08;
/** Base64 of the first octet and the UID. */
const HEAD_CHARACTERS = Math.ceil((1 + UID_OCTETS) / 3) * 4;

/** Gives a database `names_unit(octets, unit)`: whether a kept transmission, in base64, names that unit. */
export function addNamesUnit(database: Database): void {
  database.function('names_unit', { deterministic: true }, (octets: unknown, unit: unknown) =>
    Number(namedIn(String(octets)) === unit),
  );
}

function namedIn(base64: string): string | undefined {
  const head = Buffer.from(base64.slice(0, HEAD_CHARACTERS), 'base64');
  return ((head[0] ?? 0) & RTE) === 0 ? undefined : decodeUid(head.subarray(1, 1 + UID_OCTETS));
}
