import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Address, plainHost } from '../../core/address.js';
import type { Log } from '../../core/log.js';
import { GOODBYE_MS } from '../../links/link-session.js';
import { listenError } from '../../links/tcp-listener.js';
import type { Certificates } from './certificates.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Openings } from './openings.js';
import { WebSocketStream } from './websocket-stream.js';

/** Headers of an upgrade (reference/limits.md, "HTTP"). */
const MAX_HEADER_OCTETS = 8 * 1024;
/** One message; a transmission may come in several. */
const MAX_MESSAGE_OCTETS = 128 * 1024;
/** Parts of one message, and pieces in which it comes: of a small board's segments it has fewer. */
const MAX_MESSAGE_PARTS = 1_024;

const socketOptions = {
  noServer: true,
  maxPayload: MAX_MESSAGE_OCTETS,
  maxFragments: MAX_MESSAGE_PARTS,
  maxBufferedChunks: MAX_MESSAGE_PARTS,
  perMessageDeflate: false,
  clientTracking: false,
  closeTimeout: GOODBYE_MS,
};

export interface WebSocketListenerOptions {
  readonly openings: Openings;
  /** `undefined`: ws; else wss. */
  readonly certificates: Certificates | undefined;
  readonly limits: IotsocketLimits;
  readonly log: Log;
}

/** Takes WebSockets for sessions: the octets of their binary messages, joined, are the stream that TCP carries elsewhere. */
export class WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #sockets: WebSocketServer;
  /** Connections that are no WebSockets yet, and what is to be done when they are, or are gone. */
  readonly #pending = new Map<Socket, () => void>();
  #server: Server | TlsServer | undefined;
  #leaveCertificates: (() => void) | undefined;

  constructor(options: WebSocketListenerOptions) {
    this.#options = options;
    this.#sockets = new WebSocketServer(socketOptions);
  }

  /** Resolves with the address it got. ConfigurationError `port-in-use`. */
  listen(address: Address): Promise<Address> {
    const { certificates, limits, log } = this.#options;
    const options = {
      maxHeaderSize: MAX_HEADER_OCTETS,
      headersTimeout: limits.openingStepMs,
      requestTimeout: limits.openingStepMs,
      connectionsCheckingInterval: 1_000,
    };
    const server =
      certificates === undefined
        ? createServer(options)
        : createTlsServer({ ...options, ...certificates.pem, handshakeTimeout: limits.tlsHandshakeMs });
    this.#server = server;
    this.#leaveCertificates = certificates?.onChange(() => (server as TlsServer).setSecureContext(certificates.pem));
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('request', (_request, response) => {
      response.writeHead(426, { upgrade: 'websocket', connection: 'upgrade, close' }).end();
    });
    server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
      stream.on('error', ignore);
      this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#opened(socket, request));
    });
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => log.warn({ error: error.message }, 'a connection could not be taken'));
        resolve({ host: address.host, port: (server.address() as AddressInfo).port });
      });
    });
  }

  /**
   * Takes no more, and ends what has not been upgraded; sessions are others' to close, so it does not wait for them. May be
   * called twice.
   */
  close(): void {
    this.#leaveCertificates?.();
    for (const socket of this.#pending.keys()) socket.destroy();
    this.#server?.close();
  }

  /** Until it is upgraded it may do nothing but that, and not for long. */
  #connected(socket: Socket): void {
    const unproved = { address: plainHost(socket.remoteAddress ?? ''), destroy: () => socket.destroy() };
    const { openings } = this.#options;
    openings.addUnproved(unproved);
    socket.setNoDelay(true);
    const over = (): void => {
      openings.deleteUnproved(unproved);
      this.#pending.delete(socket);
    };
    this.#pending.set(socket, over);
    socket.once('close', over);
  }

  #opened(socket: WebSocket, { socket: connection }: IncomingMessage): void {
    const { openings, certificates } = this.#options;
    const address = plainHost(connection.remoteAddress ?? '');
    const raw = certificates === undefined ? connection : below(connection);
    this.#pending.get(raw)?.();
    openings.take(new WebSocketStream(socket), address, certificates !== undefined);
  }
}

/** The TCP socket of a TLS socket. Node has no public name for it. */
const below = (socket: Socket): Socket => (socket as Socket & { readonly _parent?: Socket })._parent ?? socket;

function ignore(): void {}
