/** RFC 6763 §6.2 recommends that a whole record fits one Ethernet packet. */
const MAX_OCTETS = 1_300;
const MAX_STRINGS = 32;
/** RFC 6763 §6.4: printable ASCII without `=`; §6.5 recommends 9 characters. */
const key = /^[\x20-\x3c\x3e-\x7e]{1,32}$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const EQUALS = 0x3d;

/**
 * The attributes of a TXT record, by key in small letters (RFC 6763 §6). `undefined` for what breaks its rules, or ours: at most
 * 32 strings of 1 300 octets in all, values that are UTF-8 without control characters.
 */
export function readTxt(strings: readonly Uint8Array[]): ReadonlyMap<string, string> | undefined {
  const octets = strings.reduce((sum, { length }) => sum + 1 + length, 0);
  if (strings.length > MAX_STRINGS || octets > MAX_OCTETS) return undefined;
  const txt = new Map<string, string>();
  for (const string of strings) {
    if (string.length === 0) continue;
    const attribute = readAttribute(string);
    if (attribute === undefined) return undefined;
    // The first of a name counts.
    if (!txt.has(attribute[0])) txt.set(attribute[0], attribute[1]);
  }
  return txt;
}

/** The strings of a TXT record as it travels, each behind its length. `undefined`: they do not fill it. */
export function splitTxt(record: Uint8Array): readonly Uint8Array[] | undefined {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < record.length; ) {
    const end = at + 1 + record[at]!;
    if (end > record.length) return undefined;
    strings.push(record.subarray(at + 1, end));
    at = end;
  }
  return strings;
}

function readAttribute(string: Uint8Array): readonly [string, string] | undefined {
  const equals = string.indexOf(EQUALS);
  const end = equals === -1 ? string.length : equals;
  try {
    const name = decoder.decode(string.subarray(0, end));
    const value = decoder.decode(string.subarray(end + 1));
    if (!key.test(name) || /\p{Cc}/u.test(value)) return undefined;
    return [name.toLowerCase(), value];
  } catch {
    return undefined;
  }
}
