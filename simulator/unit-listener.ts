import { createServer, type Server, type Socket } from 'node:net';
import { type Address, addressText } from '../base/core/address.js';
import type { Carrier } from '../base/links/carrier.js';
import { TcpCarrier } from '../base/links/tcp-carrier.js';
import { ConfigurationError } from '../protocol/errors.js';

/** A unit's listening socket. */
export class UnitListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #address: Address | undefined;

  constructor(take: (carrier: Carrier) => void) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      take(
        new TcpCarrier(socket, addressText({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 })),
      );
    });
  }

  /** Where it listens; `undefined` before and after. */
  get address(): Address | undefined {
    return this.#address;
  }

  /** Resolves with the address it got: port 0 becomes a free one. Rejects with ConfigurationError `port-in-use`. */
  listen(wanted: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void =>
        reject(
          new ConfigurationError('port-in-use', `cannot listen on ${addressText(wanted)}: ${error.code}`, {
            cause: error,
          }),
        );
      this.#server.once('error', fail);
      this.#server.listen(wanted.port, wanted.host, () => {
        this.#server.removeListener('error', fail);
        const got = this.#server.address();
        this.#address = { host: wanted.host, port: typeof got === 'object' && got !== null ? got.port : wanted.port };
        resolve(this.#address);
      });
    });
  }

  /** Takes no more connections and cuts those that are left. May be called twice, and without `listen`. */
  close(): Promise<void> {
    this.#address = undefined;
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
