import { ProtocolError } from '../errors.js';
import { isUserSecret, isUserUuid, SECRET_RULE, UUID_RULE } from './account.js';
import { macOf } from './mac.js';

/** Who sends it: the second field, `uuid` or `uuid:secret` (wire/elfin.md). */
export interface Account {
  readonly uuid: string;
  readonly secret?: string | undefined;
}

/**
 * A message without payload (wire/elfin.md), UTF-8, its fields separated by `;`:
 *
 *     beat;<account>;<mac>;<host>;<type>
 *     connthem;<account>;<mac1>;<mac2>
 *     connme;<account>;<mac>
 *     query;<account>
 *
 * MACs are as the peer wrote them; `macOf` understands them.
 */
export type ControlMessage =
  | {
      readonly kind: 'beat';
      readonly account: Account;
      readonly mac: string;
      readonly host: string;
      readonly type: string;
    }
  | { readonly kind: 'connthem'; readonly account: Account; readonly mac1: string; readonly mac2: string }
  | { readonly kind: 'connme'; readonly account: Account; readonly mac: string }
  | { readonly kind: 'query'; readonly account: Account };

/** What stands before a payload: `data;<account>;<mac>;<host>;<type>;`. */
export interface DataHead {
  readonly account: Account;
  readonly mac: string;
  readonly host: string;
  readonly type: string;
}

/** With it data counts as life of its device; with another type the MAC need be none. */
export const LIFE_TYPE = '0';

/** Octets of a message without its payload (base limits: `controlOctets`). */
export const MAX_CONTROL_OCTETS = 512;
/** Payload of one data message in line framing. */
export const MAX_DATA_OCTETS = 2 ** 32 - 1;

const SEMICOLON = 0x3b;
const fieldCounts = { beat: 5, connthem: 4, connme: 3, query: 2 } as const;
/** Before the payload: the type of the message and four more. */
export const DATA_FIELDS = 5;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Octets from `start` to `end`, without an end of line. ProtocolError `frame-malformed`: another number of fields, a uuid
 * that is none, a MAC that is none, or none of these messages. Never throws.
 */
export function decodeControl(octets: Uint8Array, start = 0, end = octets.length): ControlMessage | ProtocolError {
  const fields = decoder.decode(octets.subarray(start, end)).split(';');
  const kind = fields[0]!;
  if (!Object.hasOwn(fieldCounts, kind)) return malformed('it is none of beat, data, connthem, connme and query');
  const count = fieldCounts[kind as ControlMessage['kind']];
  if (fields.length !== count) return malformed(`${kind} has ${count} fields, this one ${fields.length}`);
  const account = accountOf(fields[1]!);
  if (account === undefined) return malformed(`a uuid ${UUID_RULE}`);
  const [, , first = '', second = '', type = ''] = fields;
  switch (kind as ControlMessage['kind']) {
    case 'beat':
      return macOf(first) === undefined ? noMac() : { kind: 'beat', account, mac: first, host: second, type };
    case 'connthem':
      if (macOf(first) === undefined || macOf(second) === undefined) return noMac();
      return { kind: 'connthem', account, mac1: first, mac2: second };
    case 'connme':
      return macOf(first) === undefined ? noMac() : { kind: 'connme', account, mac: first };
    case 'query':
      return { kind: 'query', account };
  }
}

/**
 * The head of data, from `start` to its fifth `;` just before `end`. ProtocolError `frame-malformed`: it is none, or, with
 * type `0`, its MAC is none. Never throws.
 */
export function decodeDataHead(octets: Uint8Array, start = 0, end = octets.length): DataHead | ProtocolError {
  const fields = decoder.decode(octets.subarray(start, end)).split(';');
  if (fields.length !== DATA_FIELDS + 1 || fields[0] !== 'data' || fields[DATA_FIELDS] !== '')
    return malformed('it is no head of data');
  const [, user, mac, host, type] = fields as [string, string, string, string, string, string];
  const account = accountOf(user);
  if (account === undefined) return malformed(`a uuid ${UUID_RULE}`);
  if (type === LIFE_TYPE && macOf(mac) === undefined) return noMac();
  return { account, mac, host, type };
}

/** Whether `data;` stands at `start`: enough octets must be there to say so. */
export const isData = (octets: Uint8Array, start: number, end: number): boolean =>
  end - start >= 5 &&
  octets[start] === 0x64 &&
  octets[start + 1] === 0x61 &&
  octets[start + 2] === 0x74 &&
  octets[start + 3] === 0x61 &&
  octets[start + 4] === SEMICOLON;

/**
 * A control message: in line framing with its `\n`, in segments without. Throws RangeError for a field that does not fit.
 */
export function encodeControl(message: ControlMessage, framing: 'segment' | 'line' = 'line'): Uint8Array {
  const end = framing === 'line' ? '\n' : '';
  return bounded(encoder.encode(`${fieldsOf(message).join(';')}${end}`));
}

/** Data in one segment: head and payload. Throws RangeError for a field that does not fit. */
export function encodeDataSegment(head: DataHead, payload: Uint8Array): Uint8Array {
  const text = bounded(encoder.encode(headText(head)));
  const octets = new Uint8Array(text.length + payload.length);
  octets.set(text);
  octets.set(payload, text.length);
  return octets;
}

/**
 * What stands before so many octets of payload in line framing: `data;<account>;<mac>;<host>;<type>;<n>;`. Behind the payload
 * goes {@link LINE_END}. Throws RangeError for a field that does not fit.
 */
export function encodeDataLineHead(head: DataHead, length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > MAX_DATA_OCTETS)
    throw new RangeError(`data has 0 to ${MAX_DATA_OCTETS} octets`);
  return bounded(encoder.encode(`${headText(head)}${length};`));
}

/** Behind the payload of data in line framing. */
export const LINE_END: Uint8Array = Uint8Array.of(0x0a);

function accountOf(field: string): Account | undefined {
  const colon = field.indexOf(':');
  const uuid = colon < 0 ? field : field.slice(0, colon);
  if (!isUserUuid(uuid)) return undefined;
  return colon < 0 ? { uuid } : { uuid, secret: field.slice(colon + 1) };
}

function fieldsOf(message: ControlMessage): readonly string[] {
  const { kind, account } = message;
  switch (kind) {
    case 'beat':
      return [kind, accountText(account), mac(message.mac), text(message.host), text(message.type)];
    case 'connthem':
      return [kind, accountText(account), mac(message.mac1), mac(message.mac2)];
    case 'connme':
      return [kind, accountText(account), mac(message.mac)];
    case 'query':
      return [kind, accountText(account)];
  }
}

function headText(head: DataHead): string {
  const device = head.type === LIFE_TYPE ? mac(head.mac) : text(head.mac);
  return `data;${accountText(head.account)};${device};${text(head.host)};${text(head.type)};`;
}

function accountText({ uuid, secret }: Account): string {
  if (!isUserUuid(uuid)) throw new RangeError(`a uuid ${UUID_RULE}`);
  if (secret === undefined) return uuid;
  if (!isUserSecret(secret)) throw new RangeError(`a secret ${SECRET_RULE}`);
  return `${uuid}:${secret}`;
}

function mac(value: string): string {
  if (macOf(value) === undefined) throw new RangeError('a MAC has 12 hexadecimal digits, plain or in pairs');
  return value;
}

function text(value: string): string {
  if (/[;\r\n]/.test(value)) throw new RangeError('a field has no ";" and no end of line');
  return value;
}

function bounded(octets: Uint8Array): Uint8Array {
  if (octets.length > MAX_CONTROL_OCTETS)
    throw new RangeError(`a message has at most ${MAX_CONTROL_OCTETS} octets beside its payload`);
  return octets;
}

const malformed = (what: string): ProtocolError => new ProtocolError('frame-malformed', what);
const noMac = (): ProtocolError => malformed('a MAC has 12 hexadecimal digits, plain or in pairs with ":" or "-"');
