import type { Log } from '../base/core/log.js';
import type { Retention } from '../base/engine/embedded/upkeep.js';

/** A log for measuring: it writes nothing. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quietLog };

/** Nothing is old enough to go. */
export const keepAll: Retention = { rawDays: 7, rawPerUnit: 1e6, minuteDays: 90, hourDays: 1_825, maxOctets: 1e12 };
