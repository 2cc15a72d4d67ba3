import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ConfigurationError } from '../../protocol/errors.js';
import { type Address, addressText } from '../core/address.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import { TroubleLog } from '../core/trouble-log.js';
import type { Carrier } from './carrier.js';
import type { Certificates } from './certificates.js';
import { TcpCarrier } from './tcp-carrier.js';
import { Unproved, type UnprovedBounds } from './unproved.js';

/** Connections of one listener; past it newcomers are closed (reference/limits.md, "Pre-auth sockets": sessions). */
const MAX_ACCEPTED = 16_384;
/** A TLS handshake that takes longer has failed (reference/limits.md, "TCP pre-auth"). */
const HANDSHAKE_MS = 15_000;

export interface TcpListenerOptions {
  /** TLS: its certificate, started, asked for with each connection, and what bounds its handshake. */
  readonly tls?: { readonly certificates: Pick<Certificates, 'context'>; readonly clock: Clock } | undefined;
  /** Default 16 384. */
  readonly maxAccepted?: number | undefined;
  /** Of those that have proved nothing yet. */
  readonly unproved?: UnprovedBounds;
}

/** Takes TCP connections; those that have proved nothing yet are bounded (`unproved.ts`). */
export class TcpListener {
  readonly #server: Server;
  readonly #log: Log;
  readonly #take: (pending: { readonly carrier: Carrier; proved(): void }) => void;
  readonly #options: TcpListenerOptions;
  readonly #trouble: TroubleLog;
  readonly #unproved: Unproved;
  readonly #sockets = new Set<Socket>();

  constructor(
    log: Log,
    take: (pending: { readonly carrier: Carrier; proved(): void }) => void,
    options: TcpListenerOptions = {},
  ) {
    this.#log = log;
    this.#take = take;
    this.#options = options;
    this.#trouble = new TroubleLog(log);
    this.#unproved = new Unproved(options.unproved);
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** Resolves with the address it got (a port 0 asked for becomes a free one). */
  listen(address: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
      this.#server.listen(address.port, address.host, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) =>
          this.#log.warn({ error: error.message }, 'a connection could not be accepted'),
        );
        const got = this.#server.address();
        resolve({ host: address.host, port: typeof got === 'object' && got !== null ? got.port : address.port });
      });
    });
  }

  /** Takes no more, and ends what it took. May be called twice. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const { tls, maxAccepted = MAX_ACCEPTED } = this.#options;
    if (this.#sockets.size >= maxAccepted) {
      this.#trouble.warn('too many', {}, `a connection was closed: there are ${maxAccepted} already`);
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const remote = addressText({ host: address, port: socket.remotePort ?? 0 });
    const unproved = { address, destroy: () => socket.destroy() };
    this.#unproved.add(unproved);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#unproved.delete(unproved);
    });
    const proved = (): void => this.#unproved.delete(unproved);
    if (tls === undefined) return this.#take({ carrier: new TcpCarrier(socket, remote), proved });
    secured(socket, tls, (secure) => this.#take({ carrier: new TcpCarrier(secure, remote, 'tls'), proved }));
  }
}

/** Calls when the handshake is done; what does not come so far is closed. */
function secured(
  socket: Socket,
  { certificates, clock }: NonNullable<TcpListenerOptions['tls']>,
  take: (secure: Socket) => void,
): void {
  const secure = new TLSSocket(socket, { isServer: true, secureContext: certificates.context });
  const late = clock.after(HANDSHAKE_MS, () => socket.destroy());
  // `close` follows an error.
  socket.on('error', () => {});
  secure.on('error', () => socket.destroy());
  socket.once('close', () => late.cancel());
  secure.once('secure', () => {
    late.cancel();
    take(secure);
  });
}

/** Why a port cannot be had, in words. */
export function listenError(address: Address, error: NodeJS.ErrnoException): ConfigurationError {
  const where = addressText(address);
  if (error.code === 'EADDRINUSE') {
    return new ConfigurationError(
      'port-in-use',
      `${where} is in use by another program; stop that or configure another port`,
      { cause: error },
    );
  }
  return new ConfigurationError('port-in-use', `cannot listen on ${where}: ${error.code ?? error.message}`, {
    cause: error,
  });
}
