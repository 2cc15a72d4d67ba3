import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  /** As it was on the wire. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Respond = (received: Received, response: ServerResponse) => void;

/** A real HTTP server on a free loopback port that keeps what it got. */
export class HttpReceiver {
  readonly received: Received[] = [];
  /** Replaceable while it runs. */
  respond: Respond;
  readonly #server: Server;
  readonly #scheme: string;

  private constructor(server: Server, scheme: string, respond: Respond) {
    this.#server = server;
    this.#scheme = scheme;
    this.respond = respond;
  }

  static async start(options: { respond?: Respond; tls?: { key: string; cert: string } } = {}): Promise<HttpReceiver> {
    const { respond = (_, response) => void response.end(), tls } = options;
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const receiver = new HttpReceiver(server, tls === undefined ? 'http' : 'https', respond);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
        receiver.received.push(one);
        receiver.respond(one, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export const status =
  (code: number, headers: Record<string, string> = {}): Respond =>
  (_, response) =>
    void response.writeHead(code, headers).end();
