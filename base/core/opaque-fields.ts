import type { Values } from '../../protocol/definition/index.js';
import type { Payload } from '../../protocol/iotsocket/payload.js';

/** As many as a message of a definition has. */
export const MAX_OPAQUE_FIELDS = 64;
export const MAX_OPAQUE_NAME_CHARACTERS = 64;
/** Of one text; the rest is cut off. */
export const MAX_OPAQUE_TEXT_CHARACTERS = 1_024;
/** Of a binary payload: so many as are 1 024 characters of base64. */
export const MAX_OPAQUE_BINARY_OCTETS = 768;
/** All fields as JSON: with its UID, its numbers and its times, a row of the history is at most 4 KiB. */
export const MAX_OPAQUE_FIELDS_OCTETS = 3_840;

/** The most octets of one UTF-16 unit in a JSON string: `\u001f`. */
const OCTETS_PER_CHARACTER = 6;
/** More digits are beyond every number. */
const MAX_NUMBER_CHARACTERS = 400;
const number = /^-?\d+(\.\d+)?$/;

/**
 * What of a payload can be charted and shown as last values: of a JSON object its members that are truth values, numbers
 * and texts; all else as the one field `value`, binary in base64. What has no room is left out, texts are cut. Never throws.
 */
export function opaqueFields({ format, value }: Payload): Values {
  if (format === 'binary') return Array.isArray(value) ? { value: base64Of(value) } : {};
  if (format !== 'json' && typeof value === 'string')
    return { value: isNumber(value) ? Number(value) : onlyText(value) };
  if (typeof value === 'string') return { value: onlyText(value) };
  if (isSingle(value)) return { value };
  return typeof value === 'object' && value !== null ? membersOf(value) : {};
}

const base64Of = (octets: readonly number[]): string =>
  Buffer.from(octets.slice(0, MAX_OPAQUE_BINARY_OCTETS)).toString('base64');

const isNumber = (text: string): boolean =>
  text.length <= MAX_NUMBER_CHARACTERS && number.test(text) && Number.isFinite(Number(text));

/** A text that is the only field. */
function onlyText(text: string): string {
  const short = capped(text);
  const room = MAX_OPAQUE_FIELDS_OCTETS - octetsOf({ value: '' });
  return octetsOf(short) <= room ? short : cut(short, Math.floor(room / OCTETS_PER_CHARACTER));
}

function membersOf(object: object): Values {
  const fields: Record<string, boolean | number | string> = {};
  if (Array.isArray(object)) return fields;
  let octets = '{}'.length;
  let count = 0;
  for (const [name, value] of Object.entries(object)) {
    if (count === MAX_OPAQUE_FIELDS) break;
    // `__proto__` is a name like any other to JSON, and none to those who copy objects.
    if (name.length > MAX_OPAQUE_NAME_CHARACTERS || name === '__proto__' || !isSingle(value)) continue;
    const short = typeof value === 'string' ? capped(value) : value;
    const more = octetsOf(name) + octetsOf(short) + ':,'.length;
    if (octets + more > MAX_OPAQUE_FIELDS_OCTETS) continue;
    fields[name] = short;
    octets += more;
    count += 1;
  }
  return fields;
}

const isSingle = (value: unknown): value is boolean | number | string =>
  typeof value === 'boolean' || typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));

const octetsOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

const capped = (text: string): string => cut(text, MAX_OPAQUE_TEXT_CHARACTERS);

/** Never between the two halves of a character. */
function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const short = text.slice(0, characters);
  return /[\ud800-\udbff]$/.test(short) ? short.slice(0, -1) : short;
}
