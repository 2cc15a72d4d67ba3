import { bad, type DecodeResult, frame, more } from '../decode-result.js';
import { assertNever, ProtocolError } from '../errors.js';
import { OctetWriter } from '../octets.js';
import { decodeUid, encodeUid, UID_OCTETS } from './uid.js';

/** Payload formats on the wire. */
export const payloadFormats = { binary: 0, ascii: 1, utf8: 2, json: 10 } as const;

/** `format:4 options:4 | length:16 | data`. */
export interface PayloadBlock {
  readonly format: number;
  readonly options: number;
  readonly data: Uint8Array;
}

/**
 * One transmission (wire/iotsocket.md, "Transmissions"). Octets, big-endian:
 *
 *     0      type:4 RTE:1 reserved:3
 *     1..16  UID, only when RTE is 1
 *     then   by type: request  tracking:16 payload block      response  tracking:16 code:8 payload block
 *            telemetry token 8 octets    identified telemetry  payload block    close  code:8    ping, pong nothing
 */
export type Transmission =
  | { readonly kind: 'ping' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'request'; readonly uid?: string; readonly tracking: number; readonly payload: PayloadBlock }
  | {
      readonly kind: 'response';
      readonly uid?: string;
      readonly tracking: number;
      readonly code: number;
      readonly payload: PayloadBlock;
    }
  | { readonly kind: 'telemetryToken'; readonly token: Uint8Array }
  | { readonly kind: 'identifiedTelemetry'; readonly uid: string; readonly payload: PayloadBlock }
  | { readonly kind: 'close'; readonly code: number };

const types = {
  ping: 1,
  pong: 2,
  request: 3,
  response: 4,
  telemetryToken: 5,
  identifiedTelemetry: 6,
  close: 15,
} as const;

export const returnCodes = {
  valid: 0x00,
  notValid: 0x01,
  noDestination: 0xa0,
  timeout: 0xa1,
  sameTracking: 0xa2,
} as const;
export const closeCodes = {
  protocolError: 0x00,
  maintenance: 0x01,
  tooMuchLoad: 0x02,
  internalError: 0x03,
  sleep: 0xa0,
  freeingResources: 0xa1,
} as const;

const TOKEN_OCTETS = 8;
const RTE = 0x08;
const RESERVED = 0x07;

/** Octets of a payload block's head. */
const BLOCK_HEAD = 3;

export interface TransmissionLimits {
  /** The longest payload accepted; a longer one is `bad` as soon as its length is known. */
  readonly maxPayload: number;
}

/** What a transmission without content carries. */
export const noPayload: PayloadBlock = { format: payloadFormats.binary, options: 0, data: new Uint8Array(0) };
/** The same between a typed unit and the base (wire/unit.md, "Fields"). */
export const emptyTypedPayload: PayloadBlock = { ...noPayload, options: 1 };

export function encodeTransmission(transmission: Transmission): Uint8Array {
  const writer = new OctetWriter();
  const uid = 'uid' in transmission ? transmission.uid : undefined;
  writer.u8((types[transmission.kind] << 4) | (uid === undefined ? 0 : RTE));
  if (uid !== undefined) writer.octets(encodeUid(uid));
  switch (transmission.kind) {
    case 'ping':
    case 'pong':
      break;
    case 'request':
      writer.u16(transmission.tracking, false);
      writeBlock(writer, transmission.payload);
      break;
    case 'response':
      writer.u16(transmission.tracking, false).u8(transmission.code);
      writeBlock(writer, transmission.payload);
      break;
    case 'telemetryToken':
      writer.octets(transmission.token);
      break;
    case 'identifiedTelemetry':
      writeBlock(writer, transmission.payload);
      break;
    case 'close':
      writer.u8(transmission.code);
      break;
    default:
      assertNever(transmission);
  }
  return writer.finish();
}

function writeBlock(writer: OctetWriter, block: PayloadBlock): void {
  writer
    .u8((block.format << 4) | block.options)
    .u16(block.data.length, false)
    .octets(block.data);
}

/** The transmission at the front of a stream. Its payload is a view into `octets`, not a copy. */
export function decodeTransmission(octets: Uint8Array, limits: TransmissionLimits): DecodeResult<Transmission> {
  if (octets.length === 0) return more(1);
  const first = octets[0]!;
  if ((first & RESERVED) !== 0) return malformed(`reserved bits are set in the first octet ${hex(first)}`);
  const type = first >> 4;
  const hasUid = (first & RTE) !== 0;
  if (hasUid && type !== types.request && type !== types.response && type !== types.identifiedTelemetry) {
    return malformed(`type ${type} cannot name a UID`);
  }
  const head = hasUid ? 1 + UID_OCTETS : 1;
  switch (type) {
    case types.ping:
      return frame({ kind: 'ping' }, 1);
    case types.pong:
      return frame({ kind: 'pong' }, 1);
    case types.close:
      return octets.length < 2 ? more(2) : frame({ kind: 'close', code: octets[1]! }, 2);
    case types.telemetryToken: {
      const used = 1 + TOKEN_OCTETS;
      return octets.length < used
        ? more(used)
        : frame({ kind: 'telemetryToken', token: octets.subarray(1, used) }, used);
    }
    case types.request:
    case types.response:
    case types.identifiedTelemetry:
      return decodeWithPayload(octets, type, head, limits);
    default:
      return malformed(`type ${type} is unknown here`);
  }
}

function decodeWithPayload(
  octets: Uint8Array,
  type: number,
  head: number,
  limits: TransmissionLimits,
): DecodeResult<Transmission> {
  const numbers = type === types.request ? 2 : type === types.response ? 3 : 0;
  const block = head + numbers;
  if (octets.length < block + BLOCK_HEAD) return more(block + BLOCK_HEAD);
  const length = u16(octets, block + 1);
  if (length > limits.maxPayload) {
    return bad(
      new ProtocolError(
        'frame-too-long',
        `a payload of ${length} octets was announced; ${limits.maxPayload} are allowed`,
      ),
    );
  }
  const used = block + BLOCK_HEAD + length;
  if (octets.length < used) return more(used);
  const payload: PayloadBlock = {
    format: octets[block]! >> 4,
    options: octets[block]! & 0x0f,
    data: octets.subarray(block + BLOCK_HEAD, used),
  };
  const uid = head === 1 ? undefined : decodeUid(octets.subarray(1, head));
  if (head !== 1 && uid === undefined) return malformed('the UID is not UTF-8');
  if (type === types.identifiedTelemetry) {
    return uid === undefined
      ? malformed('identified telemetry names no UID')
      : frame({ kind: 'identifiedTelemetry', uid, payload }, used);
  }
  const tracking = u16(octets, head);
  const named = uid === undefined ? {} : { uid };
  return type === types.request
    ? frame({ kind: 'request', ...named, tracking, payload }, used)
    : frame({ kind: 'response', ...named, tracking, code: octets[head + 2]!, payload }, used);
}

const u16 = (octets: Uint8Array, at: number): number => (octets[at]! << 8) | octets[at + 1]!;
const hex = (octet: number): string => octet.toString(16).padStart(2, '0');
const malformed = (what: string): DecodeResult<never> => bad(new ProtocolError('frame-malformed', what));
