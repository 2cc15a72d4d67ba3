/** Codes the hub closes a WebSocket with, and the text that goes with each (`reference/pusher.md` 1.6). */
export const closeReasons = {
  4000: 'Application only accepts SSL connections, reconnect using wss://',
  4001: 'Application does not exist',
  4003: 'Application disabled',
  4004: 'Application is over connection quota',
  4005: 'Path not found',
  4006: 'Invalid version string format',
  4007: 'Unsupported protocol version',
  4008: 'No protocol version supplied',
  4009: 'Connection is unauthorized: disconnected by the application',
  4201: 'Pong reply not received',
  4202: 'Closed after inactivity',
  // Not 42xx, which pusher-js answers with a storm of reconnects.
  1001: 'Server is shutting down',
  1011: 'Internal error',
} as const;

export type CloseCode = keyof typeof closeReasons;

/** Codes of `pusher:error` frames that leave the connection open. */
export const errorCodes = { unauthorized: 4009, clientEvent: 4301, watchlist: 4302 } as const;
