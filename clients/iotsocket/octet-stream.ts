/** What a session runs over: octets in, octets out, one concentrator. TCP and WebSocket alike. */
export interface OctetStream {
  /** `host:port` of the peer, as people write it. */
  readonly remote: string;
  /** Our address and the peer's, of the connection; `undefined` when it is gone. */
  readonly addresses: StreamAddresses | undefined;
  /** Octets written that the operating system has not taken. */
  readonly unsent: number;
  /** Hands over what arrives from now on. Called once. */
  attach(sink: StreamSink): void;
  /** False when more should wait for `drained`. The octets are taken in either case. */
  write(octets: Uint8Array): boolean;
  /** Begins TLS as its client; `sink.secured` follows, or `sink.closed` with what is wrong. Not over WebSocket, which has its own. */
  startTls(): void;
  /** Sends what is written, then closes. */
  end(): void;
  /** Closes at once. `sink.closed` follows. May be called twice. */
  destroy(): void;
}

export interface StreamSink {
  /** Plain octets, never a Buffer: `slice` makes a copy. The receiver's until it returns. */
  octets(chunk: Uint8Array): void;
  drained(): void;
  secured(): void;
  /** Nothing follows; `error` when it was not an orderly close. Called once. */
  closed(error?: Error): void;
}

export interface StreamAddresses {
  readonly local: string;
  readonly remote: string;
}
