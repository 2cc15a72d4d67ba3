import { WebSocket } from 'ws';
import type { Clock } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { Certificates } from '../../links/certificates.js';
import { WebSocketListener } from '../../links/websocket-listener.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Openings } from './openings.js';
import { WebSocketStream } from './websocket-stream.js';

/** Headers of an upgrade (reference/limits.md, "HTTP"). */
const MAX_HEADER_OCTETS = 8 * 1024;
const MAX_HEADERS = 50;
/** One message; a transmission may come in several. */
const MAX_MESSAGE_OCTETS = 128 * 1024;

export interface IotsocketWebSocketsOptions {
  readonly openings: Openings;
  /** `undefined`: ws; else wss. */
  readonly certificates: Certificates | undefined;
  readonly limits: IotsocketLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes WebSockets for sessions: the octets of their binary messages, joined, are the stream that TCP carries elsewhere. */
export function iotsocketWebSockets(options: IotsocketWebSocketsOptions): WebSocketListener<WebSocket> {
  const { openings, certificates, limits, clock, log } = options;
  return new WebSocketListener({
    tlsSetting: 'iotsocket.tls',
    certificates,
    bounds: {
      headerOctets: MAX_HEADER_OCTETS,
      headers: MAX_HEADERS,
      upgradeMs: limits.openingStepMs,
      tlsHandshakeMs: limits.tlsHandshakeMs,
      decideMs: limits.openingStepMs,
      messageOctets: MAX_MESSAGE_OCTETS,
    },
    unproved: {
      add: (connection) => openings.addUnproved(connection),
      delete: (connection) => openings.deleteUnproved(connection),
    },
    socketClass: WebSocket,
    take: (upgrade) => {
      const { address, isTls } = upgrade;
      const socket = upgrade.accept();
      if (socket !== undefined) openings.take(new WebSocketStream(socket), address, isTls);
    },
    failed: (error) => log.error({ error: error.message }, 'a WebSocket could not be taken'),
    clock,
    log,
  });
}
