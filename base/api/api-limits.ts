/** A command's fields are at most a list in an object in an object. */
export const MAX_BODY_DEPTH = 16;

/** What one client may take of the base (reference/limits.md: HTTP, SSE, Rate limits). */
export interface ApiLimits {
  /** For all headers of a request to arrive. Node's 60 s lets one slow client hold a socket for a minute. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** How often the two above are looked at. */
  readonly checkIntervalMs: number;
  /** An idle connection is kept so long. */
  readonly keepAliveMs: number;
  readonly headerOctets: number;
  readonly headers: number;
  readonly bodyOctets: number;
  /** Sockets at once; past it the newcomer is closed. */
  readonly sockets: number;
  /** Requests per second of one token, in the long run and at once. */
  readonly requestsPerS: number;
  readonly requestBurst: number;
  /** Clients of the event stream, in all and of one token. */
  readonly streams: number;
  readonly streamsPerToken: number;
  /** Octets written to one stream and not yet taken; past it the client is cut and resumes by its last id. */
  readonly streamBufferOctets: number;
  /** Events kept for those who resume. */
  readonly events: number;
  /** A comment goes to every stream so often: it shows a lost client, and keeps proxies from closing an idle one. */
  readonly pingMs: number;
  /** How long a stop waits for commands under way before their clients are cut; a stop must end within 5 s. */
  readonly stopGraceMs: number;
}

export const defaultApiLimits: ApiLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  checkIntervalMs: 2_000,
  keepAliveMs: 5_000,
  headerOctets: 8 * 1024,
  headers: 50,
  bodyOctets: 64 * 1024,
  sockets: 512,
  requestsPerS: 20,
  requestBurst: 40,
  streams: 200,
  streamsPerToken: 10,
  streamBufferOctets: 256 * 1024,
  events: 1_000,
  pingMs: 20_000,
  stopGraceMs: 2_000,
};
