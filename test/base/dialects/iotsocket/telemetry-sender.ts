import { createSocket, type Socket } from 'node:dgram';
import { fromHex } from '../../../../protocol/octets.js';

/** Sends datagrams, as a device's UDP socket does. */
export class TelemetrySender {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number, localAddress = '127.0.0.1'): Promise<TelemetrySender> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, localAddress, resolve));
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
    return new TelemetrySender(socket);
  }

  /** Resolves when it is on its way. */
  send(hex: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(fromHex(hex), (error) => (error === null ? resolve() : reject(error)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
