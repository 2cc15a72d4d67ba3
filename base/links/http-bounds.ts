/** What one client of an HTTP server may take of the base (reference/limits.md, HTTP). */
export interface HttpBounds {
  /** For all headers of a request to arrive. Node's 60 s lets one slow client hold a socket for a minute. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. How long its answer takes is another matter. */
  readonly requestTimeoutMs: number;
  /** How often the two above are looked at. */
  readonly checkIntervalMs: number;
  /** An idle connection is kept so long. */
  readonly keepAliveMs: number;
  readonly headerOctets: number;
  readonly headers: number;
  /** Sockets at once; past it the newcomer is closed. */
  readonly sockets: number;
  /** Requests of one connection without an answer that has gone out; past it the connection is cut. Browsers send one. */
  readonly pipelined: number;
  /**
   * An answer of which its client takes nothing for so long is given up with its connection, as is a link (Per-link write
   * buffer); for up to twice as long where it took a part.
   */
  readonly stalledMs: number;
  /** How long a stop waits for answers to go out before their clients are cut. */
  readonly stopGraceMs: number;
}

export const defaultHttpBounds: HttpBounds = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  checkIntervalMs: 2_000,
  keepAliveMs: 5_000,
  headerOctets: 8 * 1024,
  headers: 50,
  sockets: 512,
  pipelined: 16,
  stalledMs: 30_000,
  stopGraceMs: 1_500,
};
