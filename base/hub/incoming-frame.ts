/** What a client sent: `data` is an object for the protocol's own events, anything for the application's. */
export interface ReceivedFrame {
  readonly kind: 'frame';
  readonly event: string;
  readonly channel: unknown;
  readonly data: unknown;
}

export type IncomingFrame = ReceivedFrame | { readonly kind: 'bad'; readonly message: string };

/** Reads one text frame. Protocol events may carry their data as a JSON string too, as some clients send it. */
export function parseIncoming(text: string): IncomingFrame {
  const value = parseJson(text);
  if (value === undefined) return { kind: 'bad', message: 'Invalid JSON' };
  if (!isRecord(value)) return { kind: 'bad', message: 'Invalid message: expected a JSON object' };
  const { event, channel, data } = value;
  if (typeof event !== 'string' || event === '')
    return { kind: 'bad', message: 'Invalid message: "event" must be a text that is not empty' };
  const isOurs = event.startsWith('pusher:');
  return { kind: 'frame', event, channel, data: isOurs && typeof data === 'string' ? parseJson(data) : data };
}

/** Undefined when that is not JSON (JSON itself has no undefined). */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Octets of a value's JSON; of a text, its own. Undefined for what nests too deeply to be written again. */
export function jsonOctets(value: unknown): number | undefined {
  if (value === undefined) return 0;
  if (typeof value === 'string') return Buffer.byteLength(value);
  try {
    return Buffer.byteLength(JSON.stringify(value));
  } catch {
    return undefined;
  }
}
