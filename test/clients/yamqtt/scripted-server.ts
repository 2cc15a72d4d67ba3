import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../protocol/yamqtt/message.js';
import { type Action, MESSAGE_OCTETS } from '../../../protocol/yamqtt/records.js';
import { textData, textOf } from '../../../protocol/yamqtt/text.js';

/** One client at a server that does what a test says. */
export class ServerSide {
  readonly socket: Socket;
  #octets = Buffer.alloc(0);
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#octets = Buffer.concat([this.#octets, chunk]);
      for (const look of [...this.#waiting]) look();
    });
  }

  /** All that came. */
  get octets(): Buffer {
    return this.#octets;
  }

  /** The next message, as `action flow text`. */
  async next(): Promise<string> {
    const end = (this.#taken + 1) * MESSAGE_OCTETS;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#octets.length < end) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    const decoded = decodeMessage(this.#octets.subarray(end - MESSAGE_OCTETS, end));
    this.#taken += 1;
    if (decoded.kind !== 'frame') throw new Error('a client sends what no server takes');
    const { action, flow, data } = decoded.value;
    return `${action} ${flow} ${textOf(data)}`.trimEnd();
  }

  send(action: Action, flow: number, text: string): void {
    this.socket.write(encodeMessage(action, flow, textData(text)));
  }
}

export class ScriptedServer {
  readonly #server: Server;
  readonly #came: ServerSide[] = [];
  readonly #waiting: ((side: ServerSide) => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
    const sockets: Socket[] = [];
    server.on('connection', (socket) => {
      const side = new ServerSide(socket);
      sockets.push(socket);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#came.push(side);
      else waiting(side);
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }

  static async start(port = 0): Promise<ScriptedServer> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nobody listens from now on. */
  async stop(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** The next connection. */
  client(): Promise<ServerSide> {
    const side = this.#came.shift();
    return side === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(side);
  }
}
