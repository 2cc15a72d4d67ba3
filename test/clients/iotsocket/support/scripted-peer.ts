import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { fromHex, toHex } from '../../../../protocol/octets.js';

/** The vectors of wire/iotsocket.md. */
export const KEY = '43434343434343434444444444444444';
export const CHALLENGE = '000102030405060708090a0b0c0d0e0f';
const PROOF = '9d6033ea4cea99b5f17316672d846d98228fb4e366243ae3f667ba44bb1e8b2f';
export const UID = '0000000000000000004f626a54657374';
export const OBJECT_LOGIN = UID + PROOF;
export const CENTRAL_LOGIN = '00'.repeat(16) + PROOF;

const DEADLINE_MS = 10_000;

/** A concentrator that does what the test says, octet by octet. Gone after the test. */
export class ScriptedPeer {
  readonly #server: Server;
  readonly #arrived: PeerConnection[] = [];
  readonly #waiting: ((connection: PeerConnection) => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(host = '127.0.0.1'): Promise<ScriptedPeer> {
    const server = createServer();
    const peer = new ScriptedPeer(server);
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      peer.#take(new PeerConnection(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return peer;
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  /** The next connection. */
  connection(): Promise<PeerConnection> {
    const first = this.#arrived.shift();
    if (first !== undefined) return Promise.resolve(first);
    return within('a connection', (resolve) => void this.#waiting.push(resolve));
  }

  /** The next connection, opened as version 1, or as draft v0.07 with its confirmation by ping and pong. */
  async opened(login = OBJECT_LOGIN, initiation = '01000000', behind = ''): Promise<PeerConnection> {
    const connection = await this.connection();
    await connection.expects(initiation);
    connection.send(`8000${CHALLENGE}`);
    const isDraft = (Number.parseInt(initiation.slice(0, 2), 16) & 0x7f) === 0;
    await connection.expects(isDraft ? `${login}10` : login);
    connection.send((isDraft ? '20' : '01') + behind);
    return connection;
  }

  #take(connection: PeerConnection): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#arrived.push(connection);
    else first(connection);
  }
}

/** One connection of a client. */
export class PeerConnection {
  socket: Socket;
  #received = '';
  #isOver = false;
  #look: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen();
  }

  send(hex: string): void {
    this.socket.write(fromHex(hex));
  }

  /** Resolves when exactly these octets have come; rejects when others do. */
  expects(hex: string): Promise<void> {
    return within(`${hex}; came: ${this.#received}`, (resolve, reject) => {
      this.#look = () => {
        const there = this.#received.slice(0, hex.length);
        if (there === hex) {
          this.#received = this.#received.slice(hex.length);
          this.#look = () => {};
          resolve();
        } else if (!hex.startsWith(there) || this.#isOver)
          reject(new Error(`${hex} was wanted, ${this.#received} came`));
      };
      this.#look();
    });
  }

  /** Resolves with so many octets. */
  takes(count: number): Promise<string> {
    return within(`${count} octets; came: ${this.#received}`, (resolve, reject) => {
      this.#look = () => {
        if (this.#received.length >= 2 * count) {
          const there = this.#received.slice(0, 2 * count);
          this.#received = this.#received.slice(2 * count);
          this.#look = () => {};
          resolve(there);
        } else if (this.#isOver) reject(new Error(`it closed after ${this.#received}`));
      };
      this.#look();
    });
  }

  /** Resolves with all that was not looked at, when the client has closed. */
  ended(): Promise<string> {
    return within('the end', (resolve) => {
      this.#look = () => {
        if (this.#isOver) resolve(this.#received);
      };
      this.#look();
    });
  }

  /** TLS begins, as its server. */
  startTls(options: { readonly key: string; readonly cert: string }): void {
    this.socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('end');
    this.socket = new TLSSocket(this.socket, { isServer: true, ...options });
    this.socket.on('error', () => {});
    this.#listen();
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.#received += toHex(chunk);
      this.#look();
    });
    for (const event of ['end', 'close'])
      this.socket.on(event, () => {
        this.#isOver = true;
        this.#look();
      });
  }
}

/** A promise that rejects when nothing happens. */
export function within<T>(
  what: string,
  run: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not in time: ${what}`)), DEADLINE_MS);
    const settle =
      <V>(act: (value: V) => void) =>
      (value: V): void => {
        clearTimeout(late);
        act(value);
      };
    run(settle(resolve), settle(reject));
  });
}
