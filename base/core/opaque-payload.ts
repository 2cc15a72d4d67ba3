import { type Payload, type PayloadFormat, payloadOf } from '../../protocol/iotsocket/payload.js';
import { type PayloadBlock, payloadFormats } from '../../protocol/iotsocket/transmission.js';
import { jsonDepth } from '../../protocol/json-depth.js';

/** As requests over HTTP and events name them. */
export const payloadFormatNames = ['json', 'ascii', 'utf8', 'binary'] as const satisfies readonly PayloadFormat[];

/** A payload as it came off the wire, or as JSON holds it. */
export type OpaquePayload = Payload | PayloadBlock;

/**
 * JSON that is nested deeper stays text: whoever walks its value, as each receiver's body does, would need a call stack
 * whose depth a peer chooses.
 */
export const MAX_PAYLOAD_DEPTH = 64;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The payload as messages hold it. What is not what its format says, or has a format that nobody knows, is `binary`; JSON
 * that is nested too deep is `utf8`. Never throws.
 */
export function payloadFrom(opaque: OpaquePayload): Payload {
  if (!('data' in opaque)) return shallow(opaque);
  if (opaque.format === payloadFormats.json) return jsonOf(opaque.data);
  return payloadOf(opaque) ?? binaryOf(opaque.data);
}

function jsonOf(data: Uint8Array): Payload {
  try {
    const text = decoder.decode(data);
    if (jsonDepth(text) > MAX_PAYLOAD_DEPTH) return { format: 'utf8', value: text };
    return { format: 'json', value: JSON.parse(text) };
  } catch {
    return binaryOf(data);
  }
}

const binaryOf = (data: Uint8Array): Payload => ({ format: 'binary', value: [...data] });

function shallow(payload: Payload): Payload {
  if (payload.format !== 'json' || isShallow(payload.value)) return payload;
  try {
    return { format: 'utf8', value: JSON.stringify(payload.value) };
  } catch {
    // Deeper than JSON itself can be written.
    return { format: 'utf8', value: '' };
  }
}

/** No deeper than {@link MAX_PAYLOAD_DEPTH}. */
export const isShallow = (value: unknown): boolean => isWithin(value, MAX_PAYLOAD_DEPTH);

/** At most so many levels of arrays and objects. */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1));
}
