import type { IncomingMessage } from 'node:http';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { WebSocket } from 'ws';
import { InternalError, ProtocolError } from '../../protocol/errors.js';
import { type ConnectOptions, connecting } from '../connection/connecting.js';
import { connectionOptions, type TlsOptions } from '../connection/tls-options.js';
import type { OctetStream, StreamAddresses, StreamSink } from './octet-stream.js';

/** A message holds some octets of the stream: a transmission is never longer than 65,558, and a turn's may come together. */
const MAX_MESSAGE_OCTETS = 1024 * 1024;

/** Octets that the system has not taken: past it more should wait. */
const HIGH_WATER_OCTETS = 64 * 1024;

export interface WebSocketPlace {
  readonly url: URL;
  /** For `wss:`. */
  readonly tls: TlsOptions;
}

/** A WebSocket whose binary messages are a stream of octets. */
class WebSocketStream implements OctetStream {
  readonly remote: string;
  readonly addresses: StreamAddresses | undefined;
  readonly #socket: WebSocket;
  #failure: Error | undefined;

  constructor(socket: WebSocket, remote: string, addresses: StreamAddresses | undefined) {
    this.#socket = socket;
    this.remote = remote;
    this.addresses = addresses;
    // From now on: what goes wrong before somebody is attached must not be thrown.
    socket.on('error', (error) => {
      this.#failure ??= error;
    });
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  attach(sink: StreamSink): void {
    this.#socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return sink.octets(new Uint8Array(data.buffer, data.byteOffset, data.length));
      this.#failure ??= new ProtocolError('frame-malformed', 'the concentrator sent a text message');
      this.#socket.terminate();
    });
    this.#socket.on('close', () => sink.closed(this.#failure));
    this.#drained = () => {
      if (this.#socket.bufferedAmount === 0) sink.drained();
    };
    this.#socket.resume();
  }

  #drained: () => void = () => {};

  write(octets: Uint8Array): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(octets, () => this.#drained());
    return this.#socket.bufferedAmount < HIGH_WATER_OCTETS;
  }

  startTls(): void {
    throw new InternalError('internal', 'TLS of a WebSocket begins before it');
  }

  end(): void {
    this.#socket.close();
  }

  destroy(): void {
    this.#socket.terminate();
  }
}

/** Rejects with LinkError `connect-failed` or `connect-timeout`, or with the signal's reason. */
export function connectWebSocket({ url, tls }: WebSocketPlace, options: ConnectOptions): Promise<OctetStream> {
  const remote = url.host;
  return connecting(options, () => {
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const socket = new WebSocket(url, {
      ...(url.protocol === 'wss:' ? secured(tls, host) : {}),
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_OCTETS,
    });
    let addresses: StreamAddresses | undefined;
    socket.once('upgrade', ({ socket: { localAddress, remoteAddress } }: IncomingMessage) => {
      if (localAddress !== undefined && remoteAddress !== undefined)
        addresses = { local: localAddress, remote: remoteAddress };
    });
    return {
      socket,
      remote,
      openEvent: 'open',
      destroy: () => socket.terminate(),
      opened: () => {
        socket.pause();
        return new WebSocketStream(socket, remote, addresses);
      },
    };
  });
}

/** `host` stays the one to connect to, whatever name the certificate must have. */
function secured(tls: TlsOptions, host: string): object {
  const { host: name = host, ...options } = connectionOptions(tls, host);
  return {
    ...options,
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(name, certificate),
  };
}
