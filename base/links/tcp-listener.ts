import { createServer, type Server, type Socket } from 'node:net';
import { ConfigurationError } from '../../protocol/errors.js';
import { type Address, addressText } from '../core/address.js';
import type { Log } from '../core/log.js';
import type { Carrier } from './carrier.js';
import { TcpCarrier } from './tcp-carrier.js';

/** Connections that have proved nothing yet (reference/limits.md, "Pre-auth sockets"): one bench or NAT is one address. */
export const MAX_UNPROVED = 256;
export const MAX_UNPROVED_PER_ADDRESS = 16;

interface Unproved {
  readonly address: string;
  readonly carrier: Carrier;
}

/**
 * Takes TCP connections. Past the bound of connections that have proved nothing, the oldest such connection goes, of the
 * same address first; the newcomer is never refused, so an attacker cannot lock his neighbours out.
 */
export class TcpListener {
  readonly #server: Server;
  readonly #log: Log;
  readonly #take: (pending: { readonly carrier: Carrier; proved(): void }) => void;
  readonly #unproved = new Set<Unproved>();
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
    const entry: Unproved = {
      address,
      carrier: new TcpCarrier(socket, addressText({ host: address, port: socket.remotePort ?? 0 })),
    };
    this.#evictFor(address);
    this.#unproved.add(entry);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#unproved.delete(entry);
    });
    this.#take({ carrier: entry.carrier, proved: () => void this.#unproved.delete(entry) });
  }

  #evictFor(address: string): void {
    const ofAddress = [...this.#unproved].filter((entry) => entry.address === address);
    if (ofAddress.length >= MAX_UNPROVED_PER_ADDRESS) this.#evict(ofAddress[0]!);
    else if (this.#unproved.size >= MAX_UNPROVED) this.#evict(this.#oldestOfTheBusiest());
  }

  #oldestOfTheBusiest(): Unproved {
    const counts = new Map<string, number>();
    for (const { address } of this.#unproved) counts.set(address, (counts.get(address) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return [...this.#unproved].find((entry) => counts.get(entry.address) === most)!;
  }

  #evict(entry: Unproved): void {
    this.#unproved.delete(entry);
    entry.carrier.destroy();
  }
}

function listenError(address: Address, error: NodeJS.ErrnoException): ConfigurationError {
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
