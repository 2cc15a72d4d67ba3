import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface Frame {
  readonly event: string;
  readonly channel?: string;
  readonly data?: Record<string, unknown>;
}

/** One client's connection, as the script sees it. */
export interface ScriptedConnection {
  readonly index: number;
  readonly socketId: string;
  readonly socket: WebSocket;
  /** What the client sent, pings left out. */
  readonly frames: Frame[];
  establish(activityTimeoutS?: number): void;
  /** `data` goes as it is; the protocol's own events have it as a string. */
  send(event: string, data?: unknown, channel?: string): void;
}

export interface Script {
  connected?(connection: ScriptedConnection): void;
  /** Default: answers every subscription. */
  subscribe?(connection: ScriptedConnection, channel: string): void;
}

/** A server of the Pusher protocol that does exactly what a test tells it to, faults too. */
export class ScriptedHub {
  readonly connections: ScriptedConnection[] = [];
  pings = 0;
  script: Script;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, script: Script) {
    this.#server = server;
    this.script = script;
  }

  static async start(script: Script = {}, port = 0): Promise<ScriptedHub> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    const hub = new ScriptedHub(server, script);
    server.on('connection', (socket) => hub.#welcome(socket));
    await new Promise((resolve) => server.once('listening', resolve));
    return hub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get last(): ScriptedConnection {
    return this.connections.at(-1)!;
  }

  get open(): number {
    return this.#server.clients.size;
  }

  /** All frames of all connections of that event. */
  frames(event: string): Frame[] {
    return this.connections.flatMap(({ frames }) => frames.filter((frame) => frame.event === event));
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #welcome(socket: WebSocket): void {
    const index = this.connections.length;
    const socketId = `${index + 1}.${1_000 + index}`;
    const send = (event: string, data?: unknown, channel?: string): void =>
      socket.send(JSON.stringify({ event, data, channel }));
    const establish = (activityTimeoutS = 120): void =>
      send(
        'pusher:connection_established',
        JSON.stringify({ socket_id: socketId, activity_timeout: activityTimeoutS }),
      );
    const connection: ScriptedConnection = { index, socketId, socket, frames: [], establish, send };
    this.connections.push(connection);
    socket.on('error', () => {});
    socket.on('message', (text) => this.#heard(connection, JSON.parse(String(text)) as Frame));
    if (this.script.connected === undefined) establish();
    else this.script.connected(connection);
  }

  #heard(connection: ScriptedConnection, frame: Frame): void {
    if (frame.event === 'pusher:ping') {
      this.pings += 1;
      connection.send('pusher:pong', '{}');
      return;
    }
    connection.frames.push(frame);
    if (frame.event !== 'pusher:subscribe') return;
    const channel = String(frame.data?.channel);
    if (this.script.subscribe === undefined) connection.send('pusher_internal:subscription_succeeded', '{}', channel);
    else this.script.subscribe(connection, channel);
  }
}
