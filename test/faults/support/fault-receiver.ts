import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Received, Respond } from '../../base/uplinks/http-receiver.js';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Whole requests, each with when it was there, by `performance.now`. */
export type Sighting = Received & { readonly at: number };

export const well: Respond = (_, response) => void response.end();

const LOOPBACK = '127.0.0.1';

/** A receiver of webhooks at a port of its own that can do everything wrong, go away, and come back. Gone after the test. */
export class FaultReceiver {
  readonly received: Sighting[] = [];
  /** Replaceable while it runs. */
  respond: Respond;
  /** Connections it ever had. */
  connections = 0;
  /** Requests of which at least the head came. */
  begun = 0;
  /** Of those, the ones that are neither answered nor let go. */
  underWay = 0;
  readonly port: number;
  readonly #tls: Certificate | undefined;
  readonly #host: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  private constructor(server: Server, respond: Respond, tls: Certificate | undefined, host: string) {
    this.respond = respond;
    this.#tls = tls;
    this.#host = host;
    this.port = (server.address() as AddressInfo).port;
    this.#take(server);
  }

  /** `host`: an address of the loopback, where nobody else's connections may be counted. */
  static async start(respond: Respond = well, tls?: Certificate, host = LOOPBACK): Promise<FaultReceiver> {
    const server = await listening(host, 0, tls);
    const receiver = new FaultReceiver(server, respond, tls, host);
    onTestFinished(() => receiver.goAway());
    return receiver;
  }

  get url(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://${this.#host}:${this.port}`;
  }

  get ids(): string[] {
    return this.received.map(({ headers }) => headers['webhook-id'] as string);
  }

  /** As a process that is killed: its connections break, and its port refuses. */
  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** At the same port. */
  async comeBack(): Promise<void> {
    this.#take(await listening(this.#host, this.port, this.#tls));
  }

  /** For connections from now on. */
  renew(tls: Certificate): void {
    (this.#server as TlsServer).setSecureContext(tls);
  }

  #take(server: Server): void {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.begun += 1;
      this.underWay += 1;
      response.on('close', () => {
        this.underWay -= 1;
      });
      response.on('error', () => {});
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const one = { method, path, headers, body: Buffer.concat(chunks).toString('utf8'), at: performance.now() };
        this.received.push(one);
        this.respond(one, response);
      });
    });
  }
}

function listening(host: string, port: number, tls: Certificate | undefined): Promise<Server> {
  const server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
