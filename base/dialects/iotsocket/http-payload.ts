import { blockOf, MAX_PAYLOAD_OCTETS, type PayloadFormat, payloadOf } from '../../../protocol/iotsocket/payload.js';
import { type PayloadBlock, payloadFormats, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { jsonDepth } from '../../../protocol/json-depth.js';
import { jsonMember } from './json-member.js';

/** The formats' names in HTTP bodies (wire/iotsocket.md, "HTTP(S) for the central"). */
const httpFormats: Readonly<Record<string, PayloadFormat>> = {
  JSON: 'json',
  ASCII: 'ascii',
  UTF8: 'utf8',
  BINARY: 'binary',
};

/** How deep a body may be nested, its own object included: more would cost stack here or at the central. */
export const MAX_BODY_DEPTH = 64;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A JSON object that came in a body, and its text. */
export interface HttpBody {
  readonly value: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export type HttpPayload =
  | { readonly ok: true; readonly block: PayloadBlock }
  /** `what` names the member, and says what it must be. */
  | { readonly ok: false; readonly what: string };

/** The block of a body's `Payload` and `Format`. JSON is taken as its text has it, blanks left out: no digit of a number is lost. */
export function blockOfBody({ value, text }: HttpBody): HttpPayload {
  const { Format, Payload } = value;
  const format = typeof Format === 'string' && Object.hasOwn(httpFormats, Format) ? httpFormats[Format]! : undefined;
  if (format === undefined) return { ok: false, what: 'Format must be "JSON", "ASCII", "UTF8" or "BINARY"' };
  if (Payload === undefined) return { ok: false, what: 'Payload is missing' };
  if (format === 'json') return jsonBlock(encoder.encode(jsonMember(text, 'Payload')));
  const made = blockOf({ format, value: Payload });
  return made.ok ? made : { ok: false, what: `Payload ${made.what}` };
}

function jsonBlock(data: Uint8Array): HttpPayload {
  if (data.length > MAX_PAYLOAD_OCTETS)
    return { ok: false, what: `Payload has ${data.length} octets; at most ${MAX_PAYLOAD_OCTETS} can be sent` };
  return { ok: true, block: { format: payloadFormats.json, options: 0, data } };
}

/** The body of an answer to `POST /request`; `undefined`: see `withPayload`. */
export function answerBody(code: number, block: PayloadBlock): string | undefined {
  return withPayload({ Code: code }, block, code === returnCodes.valid);
}

/**
 * What the central gets for an answer that is not what its format says: it is not valid, so `01`. As `BINARY` it would
 * pass for what the object meant to send, under a format that it did not choose.
 */
export const notValidAnswer = `{"Code":${returnCodes.notValid},"Payload":null,"Format":"JSON"}`;

/** The body that a webhook is sent; `undefined`: see `withPayload`. */
export function webhookBody(uid: string, block: PayloadBlock): string | undefined {
  return withPayload({ UID: uid }, block, true);
}

/**
 * `{…head, "Payload", "Format"}` as JSON; `undefined` when the octets are not what the block's format says, the format is
 * unknown, or JSON is nested too deep. A payload of no octets is `null`, as the answers of the concentrator itself are; but
 * where nothing went wrong an empty text is a text.
 */
function withPayload(head: object, block: PayloadBlock, isValid: boolean): string | undefined {
  const isText = block.format === payloadFormats.ascii || block.format === payloadFormats.utf8;
  const isNothing = block.data.length === 0 && !(isText && isValid);
  const payload = isNothing ? { name: 'JSON', text: 'null' } : payloadText(block);
  if (payload === undefined) return undefined;
  return `${JSON.stringify(head).slice(0, -1)},"Payload":${payload.text},"Format":"${payload.name}"}`;
}

function payloadText(block: PayloadBlock): { readonly name: string; readonly text: string } | undefined {
  const payload = payloadOf(block);
  if (payload === undefined) return undefined;
  const name = Object.keys(httpFormats).find((each) => httpFormats[each] === payload.format)!;
  if (payload.format !== 'json') return { name, text: JSON.stringify(payload.value) };
  // As the object wrote it: a number of many digits would not survive being a number here.
  const text = decoder.decode(block.data);
  return jsonDepth(text) < MAX_BODY_DEPTH ? { name, text } : undefined;
}
