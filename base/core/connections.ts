import type { Clock } from './clock.js';
import { Connection, type ConnectionEvents, type ConnectionInput, type ConnectionRecord } from './connection.js';
import type { ConnectionStatistics, ConnectionTotals } from './connection-statistics.js';
import { type Log, peerText } from './log.js';
import type { Random } from './random.js';
import { thrownError } from './thrown-error.js';
import type { Topics } from './topics.js';
import { TroubleLog } from './trouble-log.js';
import { uuid } from './uuid.js';

export interface ConnectionsOptions {
  readonly statistics: ConnectionStatistics;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Some of the connections, in the order in which they were opened. */
export interface ConnectionsPage {
  readonly connections: readonly ConnectionRecord[];
  /** `after` of the next page, when there are more. */
  readonly next?: number;
}

/** What came and went over the connections of one handler. */
export interface HandlerTraffic {
  readonly handler: string;
  /** How many are open. */
  readonly open: number;
  /** Since the base started, over connections that are closed too. */
  readonly established: number;
  readonly receivedMessages: number;
  readonly sentMessages: number;
  /** Written and not yet taken by the operating system: over all that are open, and of the one with the most. */
  readonly bufferedOctets: number;
  readonly maxBufferedOctets: number;
}

type Counted = { -readonly [Key in keyof HandlerTraffic]: HandlerTraffic[Key] };

/** Who is connected, over all handlers: what the API shows. Tells the statistics and the topics. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #events: ConnectionEvents;
  /** By handler: they are few, and stay. */
  readonly #traffic = new Map<string, Counted>();
  readonly #trouble: TroubleLog;
  #failures = 0;
  #ordinal = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { clock, random, statistics, topics, log } = options;
    this.#trouble = new TroubleLog(log);
    this.#events = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      uuid: () => uuid(random),
      ordinal: () => {
        this.#ordinal += 1;
        return this.#ordinal;
      },
      // Without a closure for each message.
      received: (connection, count) => {
        this.#trafficOf(connection.handler).receivedMessages += count;
        try {
          statistics.received(connection, count);
        } catch (thrown) {
          this.#failed(thrown);
        }
        if (topics.hasSubscribers('connections::message_received'))
          topics.publish('connections::message_received', connection.record());
      },
      sent: (connection, count) => {
        this.#trafficOf(connection.handler).sentMessages += count;
        try {
          statistics.sent(connection, count);
        } catch (thrown) {
          this.#failed(thrown);
        }
        if (topics.hasSubscribers('connections::message_sent'))
          topics.publish('connections::message_sent', connection.record());
      },
      closed: (connection) => {
        this.#trafficOf(connection.handler).open -= 1;
        this.#contain(() => statistics.closed(connection));
        if (topics.hasSubscribers('connections::closed')) topics.publish('connections::closed', connection.record());
      },
    };
  }

  /** What the storage of statistics threw. */
  get failures(): number {
    return this.#failures;
  }

  get size(): number {
    return this.#contain(() => this.#options.statistics.size) ?? 0;
  }

  /** A handler has a connection. */
  opened(input: ConnectionInput, handler: string): Connection {
    const { statistics, topics } = this.#options;
    const connection = new Connection(input, handler, this.#events);
    const traffic = this.#trafficOf(handler);
    traffic.open += 1;
    traffic.established += 1;
    this.#contain(() => statistics.opened(connection));
    if (topics.hasSubscribers('connections::established'))
      topics.publish('connections::established', connection.record());
    return connection;
  }

  /** For a handler that may not list it, as one of another's unit: it counts, and nobody is told. */
  unlisted(input: ConnectionInput, handler: string): Connection {
    return new Connection(input, handler, { ...this.#events, ...nobody });
  }

  /** That handler has ended, and with it all of its connections. */
  handlerEnded(handler: string): void {
    const open = this.#contain(() => [...this.#options.statistics.all()].filter((each) => each.handler === handler));
    for (const connection of open ?? []) connection.closed();
  }

  of(unit: string): ConnectionRecord | undefined {
    return this.#contain(() => this.#options.statistics.of(unit)?.record());
  }

  list(): readonly ConnectionRecord[] {
    return this.#contain(() => Array.from(this.#options.statistics.all(), (connection) => connection.record())) ?? [];
  }

  /** At most so many of them, behind that place; of one unit only, where one is named. Makes the records of no others. */
  page(limit: number, after = 0, ofUnit?: string): ConnectionsPage {
    const isAsked = ({ ordinal, unit }: Connection): boolean =>
      ordinal > after && (ofUnit === undefined || unit === ofUnit);
    return (
      this.#contain(() => {
        const all = [...this.#options.statistics.all()].filter(isAsked).sort((a, b) => a.ordinal - b.ordinal);
        const some = all.slice(0, limit);
        const connections = some.map((connection) => connection.record());
        return { connections, ...(all.length > limit ? { next: some.at(-1)!.ordinal } : {}) };
      }) ?? { connections: [] }
    );
  }

  /** By handler, of all that had a connection since the base started. */
  traffic(): readonly HandlerTraffic[] {
    for (const traffic of this.#traffic.values()) Object.assign(traffic, { bufferedOctets: 0, maxBufferedOctets: 0 });
    this.#contain(() => {
      for (const { handler, bufferedOctets } of this.#options.statistics.all()) {
        const traffic = this.#trafficOf(handler);
        traffic.bufferedOctets += bufferedOctets;
        traffic.maxBufferedOctets = Math.max(traffic.maxBufferedOctets, bufferedOctets);
      }
    });
    return Array.from(this.#traffic.values(), (traffic) => ({ ...traffic }));
  }

  /** UIDs of the units that are connected, each once. */
  units(): readonly string[] {
    return this.#contain(() => [...new Set(Array.from(this.#options.statistics.all(), ({ unit }) => unit))]) ?? [];
  }

  totals(): ConnectionTotals {
    return this.#contain(() => this.#options.statistics.totals()) ?? nothing;
  }

  #trafficOf(handler: string): Counted {
    let traffic = this.#traffic.get(handler);
    if (traffic === undefined) {
      const nothingYet = { open: 0, established: 0, receivedMessages: 0, sentMessages: 0 };
      traffic = { handler, ...nothingYet, bufferedOctets: 0, maxBufferedOctets: 0 };
      this.#traffic.set(handler, traffic);
    }
    return traffic;
  }

  #contain<T>(ask: () => T): T | undefined {
    try {
      return ask();
    } catch (thrown) {
      this.#failed(thrown);
      return undefined;
    }
  }

  #failed(thrown: unknown): void {
    this.#failures += 1;
    const error = peerText(thrownError(thrown).message);
    this.#trouble.error(error, { error }, 'the storage of connection statistics failed');
  }
}

const nobody: Partial<ConnectionEvents> = { received() {}, sent() {}, closed() {}, ordinal: () => 0 };

const nothing: ConnectionTotals = {
  established: 0,
  receivedMessages: 0,
  receivedPerSecond: 0,
  sentMessages: 0,
  sentPerSecond: 0,
};
