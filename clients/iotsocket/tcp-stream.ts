import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type ConnectOptions, connecting, placeText } from '../connection/connecting.js';
import type { OctetStream, StreamAddresses, StreamSink } from './octet-stream.js';

/** TCP keep-alive, a second line behind the pings, in ms. */
const KEEP_ALIVE_MS = 30_000;

export interface TcpPlace {
  readonly host: string;
  readonly port: number;
  /** Used when TLS begins. */
  readonly tls: ConnectionOptions;
}

/** A TCP connection, on which TLS may begin later. */
class TcpStream implements OctetStream {
  readonly remote: string;
  readonly #tls: ConnectionOptions;
  #socket: Socket;
  #sink: StreamSink | undefined;
  #failure: Error | undefined;

  constructor(socket: Socket, remote: string, tls: ConnectionOptions) {
    this.remote = remote;
    this.#tls = tls;
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    // From now on: what goes wrong before somebody is attached must not be thrown.
    this.#hearFailure(socket);
  }

  get addresses(): StreamAddresses | undefined {
    const { localAddress: local, remoteAddress: remote } = this.#socket;
    return local === undefined || remote === undefined ? undefined : { local, remote };
  }

  get unsent(): number {
    return this.#socket.writableLength;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
    this.#listen(sink);
  }

  write(octets: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(octets) : false;
  }

  startTls(): void {
    const plain = this.#socket;
    const sink = this.#sink!;
    for (const event of ['data', 'drain', 'close']) plain.removeAllListeners(event);
    this.#socket = connectTls({ ...this.#tls, socket: plain });
    this.#hearFailure(this.#socket);
    this.#socket.once('secureConnect', () => sink.secured());
    this.#listen(sink);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(sink: StreamSink): void {
    this.#socket.on('data', ({ buffer, byteOffset, length }: Buffer) =>
      sink.octets(new Uint8Array(buffer, byteOffset, length)),
    );
    this.#socket.on('drain', () => sink.drained());
    this.#socket.on('close', () => sink.closed(this.#failure));
  }

  #hearFailure(socket: Socket): void {
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
  }
}

/** Rejects with LinkError `connect-failed` or `connect-timeout`, or with the signal's reason. */
export function connectTcp({ host, port, tls }: TcpPlace, options: ConnectOptions): Promise<OctetStream> {
  const remote = placeText(host, port);
  return connecting(options, () => {
    const socket = connect({ host, port });
    return {
      socket,
      remote,
      openEvent: 'connect',
      destroy: () => void socket.destroy(),
      opened: () => new TcpStream(socket, remote, tls),
    };
  });
}
