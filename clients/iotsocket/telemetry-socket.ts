import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { encodeDatagram } from '../../protocol/iotsocket/datagram.js';
import type { PayloadBlock } from '../../protocol/iotsocket/transmission.js';
import type { StreamAddresses } from './octet-stream.js';

/** Datagrams handed over that the system has not taken. Past it telemetry is not sent: it is worth most when it is fresh. */
export const MAX_UNSENT_DATAGRAMS = 256;

export interface TelemetrySocketOptions {
  /** Of the session: a token is good from its address only. */
  readonly addresses: StreamAddresses;
  readonly port: number;
  readonly failed: (error: Error) => void;
}

/** Sends an object's telemetry over UDP, from the address that its session has. */
export class TelemetrySocket {
  readonly #options: TelemetrySocketOptions;
  #socket: Socket | undefined;
  #unsent = 0;

  constructor(options: TelemetrySocketOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  open(): void {
    const { addresses, failed } = this.#options;
    const socket = createSocket(isIPv6(addresses.local) ? 'udp6' : 'udp4');
    this.#socket = socket;
    socket.on('error', (error) => {
      this.close();
      failed(error);
    });
    // What comes back is not for us.
    socket.bind({ address: addresses.local, port: 0 });
  }

  /** False when it was not handed over. Whether it arrives nobody knows. */
  send(token: Uint8Array, payload: PayloadBlock): boolean {
    if (this.#socket === undefined || this.#unsent >= MAX_UNSENT_DATAGRAMS) return false;
    const { addresses, port, failed } = this.#options;
    this.#unsent += 1;
    this.#socket.send(encodeDatagram({ token, payload }), port, addresses.remote, (error) => {
      this.#unsent -= 1;
      if (error !== null) failed(error);
    });
    return true;
  }

  /** May be called twice. */
  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }
}
