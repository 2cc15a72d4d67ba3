/**
 * What a link runs over: octets in, octets out, one peer. The same for TCP, TLS, serial and WebSocket.
 * Source of the shape: a link needs to know no more than this of a socket.
 */
export interface Carrier {
  readonly kind: 'tcp' | 'tls' | 'serial' | 'websocket';
  /** The peer as people write it: `192.168.1.20:8888`, `/dev/ttyUSB0`. */
  readonly remote: string;
  /** Octets written and not yet taken by the operating system. */
  readonly buffered: number;
  /** Hands over what arrives from now on. Called exactly once, by whoever owns the carrier. */
  attach(sink: CarrierSink): void;
  /** False when more should wait for `drained`. The octets are taken in either case; the caller keeps to its bound. */
  write(octets: Uint8Array): boolean;
  /** The same of several, in this order, in as few writes as the system takes them. */
  writeAll(octets: readonly Uint8Array[]): boolean;
  /** Holds back what the peer sends until `resume`: a peer that sends too much is slowed down, nothing is lost. */
  pause(): void;
  resume(): void;
  /** Half-close: no more octets from us; the peer's may still come. */
  end(): void;
  /** Close at once, without a word. `sink.closed` follows. May be called twice. */
  destroy(): void;
}

export interface CarrierSink {
  /**
   * The octets are the receiver's from now on, to change, to keep and to write on; what is kept of them keeps all that came
   * together with them in memory.
   */
  octets(chunk: Uint8Array): void;
  /** There is room again after `write` returned false. */
  drained(): void;
  /** The peer will send no more (FIN). `closed` follows when both sides are done. */
  ended(): void;
  /** Nothing follows. `error` when it was not an orderly close. Called exactly once. */
  closed(error?: Error): void;
}
