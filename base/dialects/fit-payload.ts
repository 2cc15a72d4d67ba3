import { type OpaquePayload, payloadFormatNames } from '../core/opaque-payload.js';

/** The longest payload that a handler's unit may report, ask or answer: as long as a WebSocket message may be. */
export const MAX_OPAQUE_OCTETS = 64 * 1024;

/**
 * What is wrong with a payload that a handler gives, completing "the payload …"; `undefined`: nothing. Cheap where it is
 * octets. JSON is what `JSON.stringify` can write: others will.
 */
export function payloadProblem(payload: OpaquePayload): string | undefined {
  if (typeof payload !== 'object' || payload === null) return 'is missing';
  if ('data' in payload) {
    const { data, format } = payload;
    if (!(data instanceof Uint8Array) || typeof format !== 'number') return 'is no payload block';
    return data.length > MAX_OPAQUE_OCTETS ? tooLong : undefined;
  }
  const { format, value } = payload;
  if (!payloadFormatNames.includes(format)) return `has none of the formats ${payloadFormatNames.join(', ')}`;
  if (format === 'json') return jsonProblem(value);
  const isFit = format === 'binary' ? Array.isArray(value) : typeof value === 'string';
  if (!isFit) return format === 'binary' ? 'must be an array of octets' : 'must be a string';
  return (value as string | unknown[]).length > MAX_OPAQUE_OCTETS ? tooLong : undefined;
}

function jsonProblem(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return 'is no JSON value';
    return text.length > MAX_OPAQUE_OCTETS ? tooLong : undefined;
  } catch (error) {
    return `cannot be written as JSON: ${(error as Error).message}`;
  }
}

const tooLong = `has more than ${MAX_OPAQUE_OCTETS} octets`;
