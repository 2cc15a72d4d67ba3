import { Cursor, concat } from '../octets.js';

/**
 * Packets of Improv Wi-Fi over serial (https://www.improv-wifi.com/serial/), and an RPC of our own:
 *
 *     0..5  IMPROV   6  version:8 = 1   7  type:8   8  length:8   9..  data   then  checksum:8 (sum of all before)   0a
 *
 *     type 1  current state  state:8
 *     type 2  error          error:8
 *     type 3  RPC            command:8 length:8 data
 *     type 4  RPC result     command:8 length:8 texts, each length:8 UTF-8
 */
export type ImprovPacket =
  | { readonly kind: 'state'; readonly state: ImprovState | undefined }
  | { readonly kind: 'error'; readonly error: ImprovError }
  | { readonly kind: 'rpc'; readonly command: number; readonly data: Uint8Array }
  | { readonly kind: 'result'; readonly command: number; readonly texts: readonly string[] };

const improvStates = { ready: 2, provisioning: 3, provisioned: 4 } as const;
export type ImprovState = keyof typeof improvStates;

/** `notAuthorised`, of the standard over Bluetooth, is what our firmware answers when it has a key already. */
const improvErrors = {
  none: 0x00,
  invalidRpc: 0x01,
  unknownRpc: 0x02,
  unableToConnect: 0x03,
  notAuthorised: 0x04,
  unknown: 0xff,
} as const;
export type ImprovError = keyof typeof improvErrors;

export const improvCommands = {
  wifi: 0x01,
  state: 0x02,
  device: 0x03,
  /** Ours: UID, key and base of a unit; accepted while it has no key, or within 60 s of its power-up. */
  identity: 0xb0,
} as const;

export const IMPROV_HEAD = Uint8Array.from('IMPROV\x01', (letter) => letter.charCodeAt(0));
const TYPES = { state: 1, error: 2, rpc: 3, result: 4 } as const;
/** Head, type, length; checksum and `0a` behind the data are not counted. */
export const IMPROV_DATA_AT = IMPROV_HEAD.length + 2;
const END = 0x0a;

/** What fits the unit's settings, in octets of UTF-8. */
export const MAX_WIFI_NAME_OCTETS = 32;
export const MAX_WIFI_PASSWORD_OCTETS = 64;
export const MAX_BASE_OCTETS = 64;

export interface Identity {
  readonly uid: string;
  /** 16 octets. */
  readonly key: Uint8Array;
  /** `host:port` of the base that the unit dials; empty: it is dialled. */
  readonly base: string;
}

export const improvRpc = {
  wifi: (name: string, password: string): ImprovPacket => ({
    kind: 'rpc',
    command: improvCommands.wifi,
    data: concat(text(name), text(password)),
  }),
  state: { kind: 'rpc', command: improvCommands.state, data: new Uint8Array(0) },
  device: { kind: 'rpc', command: improvCommands.device, data: new Uint8Array(0) },
  identity: ({ uid, key, base }: Identity): ImprovPacket => ({
    kind: 'rpc',
    command: improvCommands.identity,
    data: concat(text(uid), key, text(base)),
  }),
} as const satisfies Record<string, ImprovPacket | ((...args: never[]) => ImprovPacket)>;

/** Throws RangeError for more data than a packet holds. */
export function encodeImprov(packet: ImprovPacket): Uint8Array {
  const data = dataOf(packet);
  const head = concat(IMPROV_HEAD, Uint8Array.of(TYPES[packet.kind], octet(data.length)), data);
  return concat(head, Uint8Array.of(checksum(head), END));
}

/** The packet of that type; `undefined` when there is no such type, or its data is not as it must be. */
export function decodeImprovData(type: number, data: Uint8Array): ImprovPacket | undefined {
  const cursor = new Cursor(data);
  switch (type) {
    case TYPES.state:
      return data.length === 1 ? { kind: 'state', state: nameOf(improvStates, data[0]!) } : undefined;
    case TYPES.error:
      return data.length === 1 ? { kind: 'error', error: nameOf(improvErrors, data[0]!) ?? 'unknown' } : undefined;
    case TYPES.rpc:
      if (data.length < 2 || data[1] !== data.length - 2) return undefined;
      return { kind: 'rpc', command: data[0]!, data: data.slice(2) };
    case TYPES.result: {
      if (data.length < 2 || data[1] !== data.length - 2) return undefined;
      cursor.at = 2;
      const texts: string[] = [];
      while (cursor.left > 0) {
        const length = cursor.u8();
        if (length > cursor.left) return undefined;
        texts.push(new TextDecoder().decode(cursor.take(length)));
      }
      return { kind: 'result', command: data[0]!, texts };
    }
    default:
      return undefined;
  }
}

/** The sum of all octets, 8 bits. */
export const checksum = (octets: Uint8Array): number => octets.reduce((sum, each) => (sum + each) & 0xff, 0);

function dataOf(packet: ImprovPacket): Uint8Array {
  switch (packet.kind) {
    case 'state':
      return Uint8Array.of(packet.state === undefined ? 0 : improvStates[packet.state]);
    case 'error':
      return Uint8Array.of(improvErrors[packet.error]);
    case 'rpc':
      return concat(Uint8Array.of(packet.command, octet(packet.data.length)), packet.data);
    case 'result': {
      const texts = concat(...packet.texts.map(text));
      return concat(Uint8Array.of(packet.command, octet(texts.length)), texts);
    }
  }
}

function text(value: string): Uint8Array {
  const octets = new TextEncoder().encode(value);
  return concat(Uint8Array.of(octet(octets.length)), octets);
}

function octet(length: number): number {
  if (length > 0xff) throw new RangeError(`${length} octets do not fit an Improv packet`);
  return length;
}

const nameOf = <K extends string>(values: Readonly<Record<K, number>>, value: number): K | undefined =>
  (Object.keys(values) as K[]).find((name) => values[name] === value);
