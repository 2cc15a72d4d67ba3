import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';

/** The gateway's side of one connection: says what a test wants, and keeps what it hears, as latin1. */
export class ScriptedEnd {
  readonly socket: Socket;
  heard = '';
  isClosed = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.heard += String(text);
      this.#wakeAll();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#wakeAll();
    });
  }

  say(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** Resolves when that is what was heard since the last time. */
  async hears(text: string): Promise<void> {
    while (this.heard.length < text.length && !this.isClosed) await this.#next();
    const heard = this.heard.slice(0, text.length);
    if (heard !== text) throw new Error(`heard ${JSON.stringify(heard)} instead of ${JSON.stringify(text)}`);
    this.heard = this.heard.slice(text.length);
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A server that does nothing by itself, on a free port, until the end of the test. */
export class ScriptedGateway {
  readonly #server: Server;
  readonly #ends: ScriptedEnd[] = [];
  readonly #wake: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(tls?: { readonly cert: string; readonly key: string }): Promise<ScriptedGateway> {
    const take = (socket: Socket): void => {
      gateway.#ends.push(new ScriptedEnd(socket));
      for (const wake of gateway.#wake.splice(0)) wake();
    };
    const gateway = new ScriptedGateway(tls === undefined ? createServer(take) : createTlsServer(tls, take));
    const sockets = new Set<Socket>();
    gateway.#server.on('connection', (socket: Socket) => sockets.add(socket));
    gateway.#server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => void gateway.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      gateway.#server.close();
    });
    return gateway;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** The next connection. */
  async end(): Promise<ScriptedEnd> {
    while (this.#ends.length === 0) await new Promise<void>((resolve) => void this.#wake.push(resolve));
    return this.#ends.shift()!;
  }
}
