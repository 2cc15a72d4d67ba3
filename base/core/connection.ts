import { peerText } from './log.js';
import { SlidingRate } from './sliding-rate.js';

/** What a handler knows of a connection when it is there. Texts are shown without control characters, cut at 120. */
export interface ConnectionInput {
  /** UID of the unit that it leads to. */
  readonly unit: string;
  /** The peer as people write it: `192.168.1.20:8888`. */
  readonly remoteAddress: string;
  /** What it says of itself, where its protocol has a place for that. */
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Where the octets wait that were written to it and not taken yet, as a carrier tells; asked when somebody looks. */
  readonly source?: { readonly buffered: number } | undefined;
}

/** What happens on connections, for whoever counts it. */
export interface ConnectionEvents {
  now(): number;
  monotonic(): number;
  received(connection: Connection, count: number): void;
  sent(connection: Connection, count: number): void;
  closed(connection: Connection): void;
  uuid(): string;
  /** Counts up. */
  ordinal(): number;
}

/**
 * One connection of one unit, and what came and went over it. Ten thousand of them are idle at a time, so that it makes
 * what it needs when it is needed. A handler calls `received` and `sent` once for each message, and `closed` once.
 */
export class Connection {
  readonly input: ConnectionInput;
  /** Name of the handler that serves it. */
  readonly handler: string;
  /** Its place in the order in which connections were opened. */
  readonly ordinal: number;
  /** Unix ms; 0: there was none. */
  readonly createdAt: number;
  lastReceivedAt = 0;
  lastSentAt = 0;
  receivedMessages = 0;
  sentMessages = 0;
  readonly #events: ConnectionEvents;
  #id: string | undefined;
  #received: SlidingRate | undefined;
  #sent: SlidingRate | undefined;
  #isClosed = false;

  constructor(input: ConnectionInput, handler: string, events: ConnectionEvents) {
    this.input = cleaned(input);
    this.handler = handler;
    this.#events = events;
    this.ordinal = events.ordinal();
    this.createdAt = events.now();
  }

  get unit(): string {
    return this.input.unit;
  }

  /** A UUID. */
  get id(): string {
    this.#id ??= this.#events.uuid();
    return this.#id;
  }

  /** Octets written and not yet taken by the operating system. */
  get bufferedOctets(): number {
    try {
      const buffered = this.input.source?.buffered;
      return Number.isFinite(buffered) ? buffered! : 0;
    } catch {
      // A handler's own source must not keep others' figures from being shown.
      return 0;
    }
  }

  /** A message came, or so many at once. What is no whole number above 0 is not counted: it would spoil all sums. */
  received(count = 1): void {
    if (!isCount(count)) return;
    const events = this.#events;
    const now = events.monotonic();
    this.receivedMessages += count;
    this.lastReceivedAt = events.now();
    this.#received ??= new SlidingRate(now, this.#ageMs());
    this.#received.add(now, count);
    events.received(this, count);
  }

  /** A message was written, or so many at once. */
  sent(count = 1): void {
    if (!isCount(count)) return;
    const events = this.#events;
    const now = events.monotonic();
    this.sentMessages += count;
    this.lastSentAt = events.now();
    this.#sent ??= new SlidingRate(now, this.#ageMs());
    this.#sent.add(now, count);
    events.sent(this, count);
  }

  /** It is over. May be called twice. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.closed(this);
  }

  /** By the wall clock, to keep one number less; only its first seconds matter. */
  #ageMs(): number {
    return Math.max(0, this.#events.now() - this.createdAt);
  }

  record(): ConnectionRecord {
    const { unit, remoteAddress, name, type, userAgent } = this.input;
    const now = this.#events.monotonic();
    return {
      id: this.id,
      unit,
      handler: this.handler,
      ...(name === undefined ? {} : { name }),
      ...(type === undefined ? {} : { type }),
      ...(userAgent === undefined ? {} : { userAgent }),
      remoteAddress,
      createdAt: this.createdAt,
      ...(this.lastReceivedAt === 0 ? {} : { lastReceivedAt: this.lastReceivedAt }),
      ...(this.lastSentAt === 0 ? {} : { lastSentAt: this.lastSentAt }),
      receivedMessages: this.receivedMessages,
      receivedPerSecond: this.#received?.perSecond(now) ?? 0,
      sentMessages: this.sentMessages,
      sentPerSecond: this.#sent?.perSecond(now) ?? 0,
      bufferedOctets: this.bufferedOctets,
    };
  }
}

const isCount = (count: number): boolean => Number.isSafeInteger(count) && count > 0;

/** Peers choose these texts. Most need no change, and then there is no second object for them. */
function cleaned(input: ConnectionInput): ConnectionInput {
  const { unit, remoteAddress, name, type, userAgent, source } = input;
  const isClean = isCleanText(remoteAddress) && isCleanText(name) && isCleanText(type) && isCleanText(userAgent);
  if (isClean) return input;
  return {
    unit,
    remoteAddress: peerText(String(remoteAddress)),
    name: cleanText(name),
    type: cleanText(type),
    userAgent: cleanText(userAgent),
    source,
  };
}

const isCleanText = (text: string | undefined): boolean =>
  text === undefined || (typeof text === 'string' && peerText(text) === text);

const cleanText = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : peerText(String(text));

/** A connection as it is at this moment, for whoever is not of this process. Times are Unix ms. */
export interface ConnectionRecord {
  /** A UUID. */
  readonly id: string;
  readonly unit: string;
  /** Name of the handler that serves it. */
  readonly handler: string;
  readonly name?: string;
  readonly type?: string;
  readonly userAgent?: string;
  readonly remoteAddress: string;
  readonly createdAt: number;
  /** Absent: none was. */
  readonly lastReceivedAt?: number;
  readonly lastSentAt?: number;
  readonly receivedMessages: number;
  /** Over the last ten seconds. */
  readonly receivedPerSecond: number;
  readonly sentMessages: number;
  readonly sentPerSecond: number;
  /** Written and not yet taken by the operating system. */
  readonly bufferedOctets: number;
}
