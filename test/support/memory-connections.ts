import type { Clock } from '../../base/core/clock.js';
import { Connections } from '../../base/core/connections.js';
import type { Log } from '../../base/core/log.js';
import { MemoryStatistics } from '../../base/core/memory-statistics.js';
import type { Random } from '../../base/core/random.js';
import { Topics } from '../../base/core/topics.js';

/** Connections as a base has them, in memory. */
export function memoryConnections(parts: {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}): Connections {
  return new Connections({ statistics: new MemoryStatistics(parts.clock), topics: new Topics(parts.log), ...parts });
}
