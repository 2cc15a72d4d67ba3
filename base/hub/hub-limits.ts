/** Every bound of the hub. Each is an option; the defaults are the service's own, or say why they are what they are. */
export interface HubLimits {
  /** Longest WebSocket frame from a client, in octets; a longer one closes with 1009. */
  readonly frameOctets: number;
  /** Octets written to a client and not taken by it; past this the client is cut off. */
  readonly writeBufferOctets: number;
  /** Longest request body of the HTTP API, in octets; a longer one is answered 413. */
  readonly bodyOctets: number;
  /** Longest `data` of one event, in octets of UTF-8. */
  readonly eventDataOctets: number;
  /** Longest event name, in characters. */
  readonly eventNameLength: number;
  readonly channelsPerEvent: number;
  readonly eventsPerBatch: number;
  readonly channelsPerConnection: number;
  /** Distinct users on one presence channel. */
  readonly presenceMembers: number;
  /** Longest user id, in characters. */
  readonly userIdLength: number;
  /** Longest `user_info` of a presence member, in octets of its JSON. */
  readonly userInfoOctets: number;
  readonly watchlistIds: number;
  /** Client events of one connection within any one second. */
  readonly clientEventsPerSecond: number;
  /** Cached events of one app; past this the oldest is forgotten. */
  readonly cacheEntries: number;
  readonly cacheTtlMs: number;
  /** Events held for one webhook; past this the oldest waiting one is dropped. */
  readonly webhookQueue: number;
  /** How long a webhook is retried, counted from when its event happened. */
  readonly webhookRetryMs: number;
  /** How long `channel_vacated` and `member_removed` wait for the client to return. */
  readonly leaveDelayMs: number;
  /** Such waits of one app at once; past this the oldest is told at once. */
  readonly pendingLeaves: number;
}

const KIB = 1024;
const MINUTE_MS = 60_000;

export const defaultHubLimits: HubLimits = {
  // The largest legal client event is 10 KiB of data with every octet escaped as \u00xx (six for one).
  frameOctets: 64 * KIB,
  // A Raspberry Pi has room for some hundreds of clients that stopped reading.
  writeBufferOctets: 256 * KIB,
  // Ten events of 10 KiB, every octet escaped as \u00xx, and 64 KiB for their names.
  bodyOctets: 10 * 6 * 10 * KIB + 64 * KIB,
  eventDataOctets: 10 * KIB,
  eventNameLength: 200,
  channelsPerEvent: 100,
  eventsPerBatch: 10,
  // The service has none; a dashboard uses a handful, and what a stranger may make us remember must end somewhere.
  channelsPerConnection: 100,
  presenceMembers: 100,
  userIdLength: 128,
  userInfoOctets: KIB,
  watchlistIds: 100,
  clientEventsPerSecond: 10,
  // 10 MiB at the most.
  cacheEntries: 1_000,
  cacheTtlMs: 30 * MINUTE_MS,
  // 10 MiB at the most, when each is a client event of full size.
  webhookQueue: 1_000,
  webhookRetryMs: 5 * MINUTE_MS,
  leaveDelayMs: 3_000,
  pendingLeaves: 1_000,
};
