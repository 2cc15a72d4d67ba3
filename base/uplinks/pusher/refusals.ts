/** Close codes of the Pusher protocol after which trying again soon cannot help, and what to do (reference/pusher.md, 1.6). */
const advice: Readonly<Record<number, string>> = {
  4000: 'the server wants TLS: set pusher.tls to true',
  4001: 'the server does not know the app: check pusher.key, and pusher.cluster or pusher.host',
  4003: 'the app is disabled: enable it at the server',
  4004: 'the app has no connections left: close others, or raise its quota',
  4005: 'the server does not know the path: is pusher.host really a Pusher-protocol server?',
  4006: 'the server did not understand the protocol version',
  4007: 'the server does not speak version 7 of the protocol: update it',
  4008: 'the server saw no protocol version: does a proxy cut the query off?',
  4009: 'the server ended the connection as unauthorised: check pusher.key and who signs for the channel',
};

/** What pusher-js's `error` event tells, in whatever of its shapes. */
export interface ConnectionTrouble {
  readonly code: number | undefined;
  readonly message: string;
  /** The connection is closed by this; else it is a frame, and the connection stays. */
  readonly isClose: boolean;
}

/** The server would refuse again: wait long. All else may pass. */
export function isRefusal(code: number): boolean {
  return (code >= 4000 && code < 4100) || code >= 4300;
}

export function adviceFor(code: number): string {
  return advice[code] ?? 'the server refused the connection: look into its log';
}

/** A client event was refused (4301); the connection stays. */
export const CLIENT_EVENT_REFUSED = 4301;

/** Reads `{type: 'PusherError', data}` and `{type: 'WebSocketError', error: {type: 'PusherError', data}}`; never throws. */
export function readTrouble(error: unknown): ConnectionTrouble {
  const outer = asRecord(error);
  const isClose = outer.type === 'WebSocketError';
  const inner = isClose ? asRecord(outer.error) : outer;
  const data = asRecord(inner.data);
  return {
    code: typeof data.code === 'number' ? data.code : undefined,
    message: typeof data.message === 'string' ? data.message : '',
    isClose: isClose && inner.type === 'PusherError',
  };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
