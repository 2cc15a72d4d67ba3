/** What peers may take of the concentrator (reference/limits.md). Every one can be set in the configuration. */
export interface IotsocketLimits {
  /** Sessions of objects at once (`SlotsCount`); the central always has a place. */
  readonly sessions: number;
  readonly accessListEntries: number;
  /** One step of the opening; TLS alone; all of it. An ESP8266's TLS handshake takes seconds. */
  readonly openingStepMs: number;
  readonly tlsHandshakeMs: number;
  readonly openingMs: number;
  /** Connections without a session, in all and of one address. Past it the oldest of that address goes. */
  readonly unproved: number;
  readonly unprovedPerAddress: number;
  /** From the first octet of a transmission to its last. */
  readonly transmissionMs: number;
  /** Transmissions of one object, in the long run and at once. The central has no such bound. */
  readonly transmissionsPerS: number;
  readonly transmissionBurst: number;
  /** Wrong logins of one (address, UID) in a minute; then it is refused for a minute, doubling to 15. */
  readonly loginFailures: number;
  /** Logins of one (address, UID) in a minute; then the pair is refused for 5 minutes. */
  readonly loginsPerMinute: number;
  /** Octets written to one peer and not taken: past the first what it sends is not read on, past the second it is cut. */
  readonly unsentPauseOctets: number;
  readonly unsentOctets: number;
  /** A peer that takes nothing for so long is cut as well. */
  readonly stalledMs: number;
  /** What is kept for one peer that is away, and for all. */
  readonly keptItems: number;
  readonly keptOctets: number;
  readonly keptOctetsInAll: number;
  /** Requests without an answer, in all. */
  readonly requests: number;
  /** Datagrams of one token, of all, and refused ones that are logged; in a second. */
  readonly datagramsPerTokenPerS: number;
  readonly datagramsPerS: number;
  readonly datagramOctets: number;
  readonly datagramRefusalsLoggedPerS: number;
  /** Body of a request over HTTP (`MaxContentLength`), and the longest wait for its answer (`MaxSecWaitResponse`). */
  readonly httpBodyOctets: number;
  readonly httpMaxWaitMs: number;
  /** Requests over HTTP that wait for their answer. */
  readonly httpRequests: number;
}

export const defaultIotsocketLimits: IotsocketLimits = {
  sessions: 16_384,
  accessListEntries: 65_536,
  openingStepMs: 5_000,
  tlsHandshakeMs: 15_000,
  openingMs: 20_000,
  unproved: 256,
  unprovedPerAddress: 16,
  transmissionMs: 10_000,
  transmissionsPerS: 50,
  transmissionBurst: 200,
  loginFailures: 10,
  loginsPerMinute: 15,
  unsentPauseOctets: 64 * 1024,
  unsentOctets: 256 * 1024,
  stalledMs: 30_000,
  keptItems: 100,
  keptOctets: 256 * 1024,
  keptOctetsInAll: 64 * 1024 * 1024,
  requests: 262_144,
  datagramsPerTokenPerS: 20,
  datagramsPerS: 2_000,
  datagramOctets: 1_400,
  datagramRefusalsLoggedPerS: 5,
  httpBodyOctets: 512 * 1024,
  httpMaxWaitMs: 300_000,
  httpRequests: 512,
};
