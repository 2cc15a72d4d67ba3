import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** Only binary messages carry octets (RFC 6455 §7.4.1). */
const UNSUPPORTED_DATA = 1003;

/**
 * A WebSocket as the stream that TCP is elsewhere: the octets of its binary messages, joined. A text message is refused:
 * neither it nor anything behind it is read.
 */
export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      // We have said goodbye, or why not.
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!isBinary) socket.close(UNSUPPORTED_DATA, 'send binary messages');
      else if (!this.push(data)) socket.pause();
    });
    // It closes by itself, and says why.
    socket.on('error', () => {});
    socket.on('close', () => this.push(null));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(octets: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.#socket.send(octets, done);
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}
