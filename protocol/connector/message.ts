import { jsonDepth } from '../json-depth.js';

/** JSON nested deeper stays text: whoever walks its value would need a call stack whose depth a device chooses. */
const MAX_MESSAGE_DEPTH = 64;

/** What a message is for. `default`: nobody waits for an answer. */
export type MessageType = 'query' | 'command' | 'default';

/** What a device is sent (wire/connector.md, "Devices"). */
export interface ConnectorMessage {
  /** A UUID; the answer carries the same. */
  readonly id: string;
  readonly payload: string;
  /** The address of who asked; empty where that is not known. */
  readonly originRemoteAddress: string;
  readonly type: MessageType;
  /** Unix seconds. */
  readonly timestamp: number;
}

/**
 * A message as JSON text, its names in the order of wire/connector.md:
 * `{"id","payload","origin_remote_address","message_type","timestamp"}`.
 */
export function encodeMessage({ id, payload, originRemoteAddress, type, timestamp }: ConnectorMessage): string {
  return JSON.stringify({
    id,
    payload,
    origin_remote_address: originRemoteAddress,
    message_type: type,
    timestamp,
  });
}

/** What a device says. */
export type DeviceMessage =
  /** `answers`: the id of what it may be the answer to, with that answer's payload. */
  | { readonly kind: 'json'; readonly value: unknown; readonly answers: Answer | undefined }
  | { readonly kind: 'text'; readonly text: string }
  /** Octets; an answer may come so, too. */
  | { readonly kind: 'binary'; readonly answers: Answer | undefined };

export interface Answer {
  /** Not empty. */
  readonly id: string;
  /** Any JSON value; `undefined`: it has none. */
  readonly payload: unknown;
}

const binary: DeviceMessage = { kind: 'binary', answers: undefined };
/** With it begins what may be an answer. */
const BRACE = 0x7b;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One WebSocket message. A text that is no JSON, or JSON that is nested too deep, is `text`; what is no UTF-8 is `binary`.
 * Never throws.
 */
export function decodeMessage(octets: Uint8Array, isBinary: boolean): DeviceMessage {
  if (!isBinary) return decodeOctets(octets);
  if (octets[0] !== BRACE) return binary;
  const message = decodeOctets(octets);
  return message.kind === 'json' ? { kind: 'binary', answers: message.answers } : binary;
}

function decodeOctets(octets: Uint8Array): DeviceMessage {
  let text: string;
  try {
    text = decoder.decode(octets);
  } catch {
    return binary;
  }
  return decodeText(text);
}

function decodeText(text: string): DeviceMessage {
  if (jsonDepth(text) > MAX_MESSAGE_DEPTH) return { kind: 'text', text };
  try {
    const value: unknown = JSON.parse(text);
    return { kind: 'json', value, answers: answerOf(value) };
  } catch {
    return { kind: 'text', text };
  }
}

/** `JSON.parse` makes `__proto__` a member like any other: nothing is inherited from it. */
function answerOf(value: unknown): Answer | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { id, payload } = value as { readonly id?: unknown; readonly payload?: unknown };
  return typeof id === 'string' && id !== '' ? { id, payload } : undefined;
}

/** A payload as text: a string as it is, other JSON as JSON text, none as the empty one. */
export function payloadText(payload: unknown): string {
  if (typeof payload === 'string') return payload;
  return JSON.stringify(payload) ?? '';
}
