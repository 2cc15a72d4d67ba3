import type { Clock } from './clock.js';
import type { Connection } from './connection.js';
import type { ConnectionStatistics, ConnectionTotals } from './connection-statistics.js';
import { SlidingRate } from './sliding-rate.js';

/** Connections and their totals, for as long as the process lives. */
export class MemoryStatistics implements ConnectionStatistics {
  readonly #clock: Clock;
  readonly #open = new Set<Connection>();
  /** The newest of each unit. */
  readonly #byUnit = new Map<string, Connection>();
  readonly #received: SlidingRate;
  readonly #sent: SlidingRate;
  #established = 0;
  #receivedMessages = 0;
  #sentMessages = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#received = new SlidingRate(clock.monotonic());
    this.#sent = new SlidingRate(clock.monotonic());
  }

  opened(connection: Connection): void {
    this.#established += 1;
    this.#open.add(connection);
    this.#byUnit.set(connection.unit, connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    // The end of an old one comes late, and takes nothing from the new one.
    if (this.#byUnit.get(connection.unit) === connection) this.#byUnit.delete(connection.unit);
  }

  received(_connection: Connection, count: number): void {
    this.#receivedMessages += count;
    this.#received.add(this.#clock.monotonic(), count);
  }

  sent(_connection: Connection, count: number): void {
    this.#sentMessages += count;
    this.#sent.add(this.#clock.monotonic(), count);
  }

  of(unit: string): Connection | undefined {
    return this.#byUnit.get(unit);
  }

  all(): Iterable<Connection> {
    return this.#open;
  }

  get size(): number {
    return this.#open.size;
  }

  totals(): ConnectionTotals {
    const now = this.#clock.monotonic();
    return {
      established: this.#established,
      receivedMessages: this.#receivedMessages,
      receivedPerSecond: this.#received.perSecond(now),
      sentMessages: this.#sentMessages,
      sentPerSecond: this.#sent.perSecond(now),
    };
  }
}
