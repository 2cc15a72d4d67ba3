import type { Clock } from '../../core/clock.js';
import type { ConnectionRecord } from '../../core/connection.js';
import type { ConnectionTotals } from '../../core/connection-statistics.js';
import type { Log } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import type { StatusPort } from '../../core/status.js';
import type { Topics } from '../../core/topics.js';
import type { UnitsPort } from '../../core/units-port.js';

/** Who is connected, to look at. `Connections` implements it. */
export interface ConnectionsPort {
  readonly size: number;
  of(unit: string): ConnectionRecord | undefined;
  list(): readonly ConnectionRecord[];
  /** UIDs of the units that are connected, each once. */
  units(): readonly string[];
  totals(): ConnectionTotals;
}

/** All that a status API knows of the base. */
export interface StatusApiContext {
  readonly status: StatusPort;
  readonly connections: ConnectionsPort;
  readonly units: UnitsPort;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * What tells others how the base is doing, and may take commands of theirs (the seeds' *StatusAPIInterface*). `ConnectorApi`
 * is ours; a user may hand in another.
 */
export interface StatusApi {
  /** Resolves when it serves: `url` is where, as this machine reaches it; `undefined` where that is nowhere. Called once. */
  start(context: StatusApiContext): Promise<{ readonly url: string } | undefined>;
  /** Lets go of everything that the start took. May be called twice, and when the start failed. */
  stop(): Promise<void>;
  /** Clients of its event streams, for the base's own status. Default 0. */
  readonly subscribers?: number;
}
