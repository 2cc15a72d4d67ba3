/** What one client of the central's HTTP server may take of the base: as the API's (reference/limits.md, HTTP). */
export interface CentralHttpLimits {
  /** For all headers of a request to arrive. */
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
  /** How long a stop waits for answers to go out; it must end within 2 s. */
  readonly stopGraceMs: number;
}

export const defaultCentralHttpLimits: CentralHttpLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  checkIntervalMs: 2_000,
  keepAliveMs: 5_000,
  headerOctets: 8 * 1024,
  headers: 50,
  sockets: 512,
  stopGraceMs: 1_500,
};
