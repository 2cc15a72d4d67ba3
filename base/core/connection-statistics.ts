import type { Connection } from './connection.js';

/**
 * Where what is known of connections is kept (the seeds' *connections stats storage*). `MemoryStatistics` is what the base
 * uses when it is given no other. None of it may throw or wait; what it throws is logged and counted.
 */
export interface ConnectionStatistics {
  opened(connection: Connection): void;
  closed(connection: Connection): void;
  /** So many messages came over it, mostly one; its own counters have them already. */
  received(connection: Connection, count: number): void;
  sent(connection: Connection, count: number): void;
  /** The connection of that unit; the newest, should there be two for a moment. */
  of(unit: string): Connection | undefined;
  /** All that are open. */
  all(): Iterable<Connection>;
  /** How many are open. */
  readonly size: number;
  /** Over all connections since the base started, closed ones too. */
  totals(): ConnectionTotals;
}

export interface ConnectionTotals {
  readonly established: number;
  readonly receivedMessages: number;
  /** Over the last ten seconds. */
  readonly receivedPerSecond: number;
  readonly sentMessages: number;
  readonly sentPerSecond: number;
}
