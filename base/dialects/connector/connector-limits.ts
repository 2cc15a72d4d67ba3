/** What devices may take of the base (reference/limits.md). Every one can be set in the configuration. */
export interface ConnectorLimits {
  /** Devices connected at once. */
  readonly sessions: number;
  /** Devices known, those that are away too: past it the one that is away longest is forgotten. */
  readonly units: number;
  /** Characters of a device's id; of its name, its type and its user agent, which are cut. */
  readonly idCharacters: number;
  readonly textCharacters: number;
  /** Of an upgrade: its headers in octets and in number, and how long they may take. */
  readonly headerOctets: number;
  readonly headers: number;
  readonly upgradeMs: number;
  readonly tlsHandshakeMs: number;
  /** How long a user's authenticator may think. */
  readonly authenticateMs: number;
  /** Connections that are not devices yet, in all and of one address. Past it the oldest of that address goes. */
  readonly unproved: number;
  readonly unprovedPerAddress: number;
  /** Wrong logins of one (address, device) in a minute; then it is refused for a minute, doubling to 15. */
  readonly loginFailures: number;
  /** Connections of one (address, device) in a minute; then the pair is refused for 5 minutes. */
  readonly connectionsPerMinute: number;
  /** One message of a device; a longer one closes its connection (1009). */
  readonly messageOctets: number;
  /** Messages of one device, in the long run and at once; past it the device is read more slowly. Answers cost nothing. */
  readonly messagesPerS: number;
  readonly messageBurst: number;
  /** Messages of one device that are on their way to the disk; past it the device is not read on. */
  readonly reportsAtOnce: number;
  /** Commands of one device that are under way; more wait for their turn. */
  readonly commandsAtOnce: number;
  /** A ping after so long without octets from the device, and the end after so long without any. */
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
  /** Octets written to one device and not taken: past the first commands wait, past the second it is cut. */
  readonly unsentPauseOctets: number;
  readonly unsentOctets: number;
  /** A device that takes nothing for so long is cut as well. */
  readonly stalledMs: number;
}

export const defaultConnectorLimits: ConnectorLimits = {
  sessions: 16_384,
  units: 16_384,
  idCharacters: 128,
  textCharacters: 128,
  headerOctets: 8 * 1024,
  headers: 50,
  upgradeMs: 5_000,
  tlsHandshakeMs: 15_000,
  authenticateMs: 5_000,
  unproved: 256,
  unprovedPerAddress: 16,
  loginFailures: 10,
  connectionsPerMinute: 15,
  messageOctets: 64 * 1024,
  messagesPerS: 50,
  messageBurst: 200,
  reportsAtOnce: 32,
  commandsAtOnce: 32,
  pingAfterMs: 15_000,
  deadAfterMs: 45_000,
  unsentPauseOctets: 64 * 1024,
  unsentOctets: 256 * 1024,
  stalledMs: 30_000,
};
