import type { Bus } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Log } from '../core/log.js';
import type { Outcome } from '../core/messages.js';
import type { Random } from '../core/random.js';

/** What the base gives an uplink: a way to hear core messages and a way to command units. Nothing else. */
export interface UplinkContext {
  readonly bus: Bus;
  /** Sends a command to a unit. Always resolves, with the command's one outcome. */
  command(request: CommandRequest): Promise<Outcome>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A way to a central. Constructing it does nothing; `start` begins, `stop` ends and may be called twice. */
export interface Uplink {
  readonly name: string;
  /** Resolves when it listens to the bus; reaching the central may take longer and is its own business. */
  start(context: UplinkContext): Promise<void>;
  stop(): Promise<void>;
}
