import type { Socket } from 'node:net';
import type { Carrier, CarrierSink } from './carrier.js';

/** TCP keep-alive, a second line behind our own pings, in ms. */
const KEEP_ALIVE_MS = 30_000;

/** A TCP socket, or TLS over one, as a carrier. */
export class TcpCarrier implements Carrier {
  readonly kind: 'tcp' | 'tls';
  readonly remote: string;
  readonly #socket: Socket;

  constructor(socket: Socket, remote: string, kind: 'tcp' | 'tls' = 'tcp') {
    this.#socket = socket;
    this.remote = remote;
    this.kind = kind;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.pause();
    // An error before `attach` must not end the process; `close` follows it.
    socket.on('error', () => {});
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  attach(sink: CarrierSink): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on('data', (chunk) => sink.octets(chunk));
    socket.on('drain', () => sink.drained());
    socket.on('end', () => sink.ended());
    socket.on('error', (error) => {
      failure = error;
    });
    if (socket.closed) {
      queueMicrotask(() => sink.closed(failure));
      return;
    }
    socket.on('close', () => sink.closed(failure));
    // A pause holds back octets, but not the news that there will be none.
    if (socket.readableEnded) queueMicrotask(() => sink.ended());
    socket.resume();
  }

  write(octets: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(octets) : false;
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    let isRoom = true;
    socket.cork();
    for (const each of octets) isRoom = socket.write(each);
    socket.uncork();
    return isRoom;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
