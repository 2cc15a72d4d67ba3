/** What YAMQTT's clients may take of the base (reference/limits.md). Every one can be set in the configuration. */
export interface YamqttLimits {
  /** Connections at a time; past it newcomers are closed. */
  readonly clients: number;
  /**
   * Clients that have neither published nor subscribed yet, in all and of one address: past it the oldest of that address
   * goes. They may stay so for as long as they like: somebody may sit before one and think.
   */
  readonly silentClients: number;
  readonly silentClientsPerAddress: number;
  /** Flows that one client is subscribed to, and over all clients; past it a subscription is refused. */
  readonly subscriptionsPerClient: number;
  readonly subscriptions: number;
  /** Octets that one client has not taken; past it its oldest messages are dropped, and it is told how many. */
  readonly unsentOctets: number;
  /**
   * Octets that wait for all slow clients together; past it those with more than their share drop their oldest. Not less than
   * `unsentOctets`.
   */
  readonly unsentOctetsInAll: number;
  /** A client that takes nothing for so long is cut. */
  readonly stalledMs: number;
  /** A message that has begun must be there whole within so long; else its client is cut. */
  readonly messageMs: number;
  /** Commands that flows have under way, over all clients; past it a publication gives no command, and is refused. */
  readonly commandsAtOnce: number;
  /** The same of one client. Not more than `commandsAtOnce`. */
  readonly commandsPerClient: number;
  /** Commands of one client, in the long run and at once; past it a publication gives no command, and is refused. */
  readonly commandsPerS: number;
  readonly commandBurst: number;
}

export const defaultYamqttLimits: YamqttLimits = {
  clients: 16_384,
  silentClients: 1_024,
  silentClientsPerAddress: 256,
  subscriptionsPerClient: 1_024,
  subscriptions: 262_144,
  unsentOctets: 256 * 1024,
  unsentOctetsInAll: 64 * 1024 * 1024,
  stalledMs: 30_000,
  messageMs: 10_000,
  commandsAtOnce: 64,
  commandsPerClient: 16,
  commandsPerS: 20,
  commandBurst: 40,
};
