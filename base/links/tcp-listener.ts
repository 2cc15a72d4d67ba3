import { createServer, type Server, type Socket } from 'node:net';
import { ConfigurationError } from '../../protocol/errors.js';
import { type Address, addressText } from '../core/address.js';
import type { Log } from '../core/log.js';
import type { Carrier } from './carrier.js';
import { TcpCarrier } from './tcp-carrier.js';
import { Unproved } from './unproved.js';

/** Takes TCP connections; those that have proved nothing yet are bounded (`unproved.ts`). */
export class TcpListener {
  readonly #server: Server;
  readonly #log: Log;
  readonly #take: (pending: { readonly carrier: Carrier; proved(): void }) => void;
  readonly #unproved = new Unproved();
  readonly #sockets = new Set<Socket>();

  constructor(log: Log, take: (pending: { readonly carrier: Carrier; proved(): void }) => void) {
    this.#log = log;
    this.#take = take;
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
    this.#sockets.add(socket);
    const carrier = new TcpCarrier(socket, addressText({ host: address, port: socket.remotePort ?? 0 }));
    const unproved = { address, destroy: () => carrier.destroy() };
    this.#unproved.add(unproved);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#unproved.delete(unproved);
    });
    this.#take({ carrier, proved: () => this.#unproved.delete(unproved) });
  }
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
