import { type PayloadBlock, payloadFormats } from './transmission.js';

/** What is not typed travels as this: the formats of wire/iotsocket.md, as JSON holds them. */
export type PayloadFormat = keyof typeof payloadFormats;

/** `binary`: an array of octets. `ascii`, `utf8`: a string. `json`: any JSON value. */
export interface Payload {
  readonly format: PayloadFormat;
  readonly value: unknown;
}

/** The longest payload of a transmission: its length travels in 16 bits. */
export const MAX_PAYLOAD_OCTETS = 65_535;

export type PayloadResult =
  | { readonly ok: true; readonly block: PayloadBlock }
  /** `what` completes "the payload …". */
  | { readonly ok: false; readonly what: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ascii = /^\p{ASCII}*$/u;

/** What a payload block holds; `undefined` when its octets are not what its format says, or the format is unknown. */
export function payloadOf({ format, data }: PayloadBlock): Payload | undefined {
  try {
    switch (format) {
      case payloadFormats.binary:
        return { format: 'binary', value: [...data] };
      case payloadFormats.ascii:
        return data.some((octet) => octet > 0x7f) ? undefined : { format: 'ascii', value: decoder.decode(data) };
      case payloadFormats.utf8:
        return { format: 'utf8', value: decoder.decode(data) };
      case payloadFormats.json:
        return { format: 'json', value: JSON.parse(decoder.decode(data)) };
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** The block of a payload that came as JSON. */
export function blockOf({ format, value }: Payload): PayloadResult {
  const data = octetsOf(format, value);
  if (typeof data === 'string') return { ok: false, what: data };
  if (data.length > MAX_PAYLOAD_OCTETS)
    return { ok: false, what: `has ${data.length} octets; at most ${MAX_PAYLOAD_OCTETS} can be sent` };
  return { ok: true, block: { format: payloadFormats[format], options: 0, data } };
}

function octetsOf(format: PayloadFormat, value: unknown): Uint8Array | string {
  switch (format) {
    case 'json': {
      const text = JSON.stringify(value);
      return text === undefined ? 'is missing' : encoder.encode(text);
    }
    case 'binary': {
      const isOctets =
        Array.isArray(value) && value.every((each) => Number.isInteger(each) && each >= 0 && each <= 255);
      return isOctets ? Uint8Array.from(value) : 'must be an array of whole numbers from 0 to 255';
    }
    default:
      if (typeof value !== 'string') return 'must be a string';
      if (format === 'ascii' && !ascii.test(value)) return 'must be ASCII; write "UTF8" for other characters';
      return /\p{Surrogate}/u.test(value) ? 'must be well-formed text' : encoder.encode(value);
  }
}
