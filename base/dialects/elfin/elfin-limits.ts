/** What Elfin's adapters and programs may take of the base (reference/limits.md). Every one can be set in the configuration. */
export interface ElfinLimits {
  /** Users that may be added. */
  readonly users: number;
  /** Devices known, those that are away too: in all, past which the one unseen longest is forgotten, and of one user. */
  readonly devices: number;
  readonly devicesPerUser: number;
  /** Octets of a message without its payload; a longer one ends the connection in lines, and is dropped in segments. */
  readonly controlOctets: number;
  /** Characters of a host name; cut. */
  readonly hostCharacters: number;
  /** Control messages of one connection, in the long run and at once; past it the connection is read more slowly. */
  readonly messagesPerS: number;
  readonly messageBurst: number;
  /** Connections at a time. */
  readonly connections: number;
  /** Connections without a message that counted, in all and of one address: past it the oldest of that address goes. */
  readonly unproved: number;
  readonly unprovedPerAddress: number;
  /** How long one may be without it: longer than an adapter's heartbeat, which may be the first that it says. */
  readonly proveMs: number;
  /** Wrong secrets of one (address, user) in a minute; then new connections of the pair are refused, a minute doubling to 15. */
  readonly loginFailures: number;
  /** A device that was not heard of for so long is offline. */
  readonly onlineMs: number;
  /** Life of one device is written to the disk at most so often. */
  readonly recordEveryMs: number;
  /** Octets that one end of a tunnel does not take: past it it is cut. Its sender is slowed down long before. */
  readonly unsentOctets: number;
  /**
   * An end that takes nothing for so long is cut as well. Longer than elsewhere: a serial line of 9 600 bit/s takes a minute and
   * more for what the system holds for it, and what waits here for one end is little.
   */
  readonly stalledMs: number;
}

export const defaultElfinLimits: ElfinLimits = {
  users: 1_024,
  devices: 16_384,
  devicesPerUser: 1_024,
  controlOctets: 512,
  hostCharacters: 64,
  messagesPerS: 50,
  messageBurst: 200,
  connections: 16_384,
  unproved: 256,
  unprovedPerAddress: 16,
  proveMs: 75_000,
  loginFailures: 10,
  onlineMs: 60_000,
  recordEveryMs: 30_000,
  unsentOctets: 256 * 1024,
  stalledMs: 300_000,
};
