import { createServer, type Server } from 'node:net';
import { type Address, plainHost } from '../../core/address.js';
import type { Log } from '../../core/log.js';
import { listenError } from '../../links/tcp-listener.js';
import type { Openings } from './openings.js';

/** TCP keep-alive, a second line behind our own pings. */
const KEEP_ALIVE_MS = 30_000;
/** Ten thousand objects come back at once when the power does; the system's own bound may be lower. */
const BACKLOG = 4_096;

/** Takes TCP connections for sessions. Lean: it adds nothing to a socket that a session needs to hold (docs/performance.md). */
export class StreamListener {
  readonly #openings: Openings;
  readonly #log: Log;
  readonly #server: Server;

  constructor(openings: Openings, log: Log) {
    this.#openings = openings;
    this.#log = log;
    this.#server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
      this.#openings.take(socket, plainHost(socket.remoteAddress ?? ''), false),
    );
  }

  /** Resolves with the address it got. ConfigurationError `port-in-use`. */
  listen(address: Address): Promise<Address> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, error)));
      this.#server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) =>
          this.#log.warn({ error: error.message }, 'a connection could not be taken'),
        );
        const got = this.#server.address();
        resolve({ host: address.host, port: typeof got === 'object' && got !== null ? got.port : address.port });
      });
    });
  }

  /** Takes no more; those it took are others' to close, so it does not wait for them. May be called twice. */
  close(): void {
    this.#server.close();
  }
}
