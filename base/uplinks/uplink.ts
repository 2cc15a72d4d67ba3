import type { Bus } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Log } from '../core/log.js';
import type { Outcome } from '../core/messages.js';
import type { OutboxView } from '../core/outbox-port.js';
import type { Outboxes } from '../core/outboxes.js';
import type { Queue } from '../core/queue.js';
import type { Random } from '../core/random.js';

/** What the base gives an uplink: ways to hear core messages, live or in spite of crashes, and a way to command units. */
export interface UplinkContext {
  /** What happens, live. */
  readonly bus: Bus;
  /** Where a receiver registers that is to get everything, restarts or not. */
  readonly outboxes: Outboxes;
  /** The durable queue of that name. */
  queue(name: string): Queue;
  /** Sends a command to a unit. As {@link UnitsPort.command}. */
  command(request: CommandRequest): Promise<Outcome>;
  /** How long `stop` may go on sending what is due. Default 2 s. */
  readonly stopGraceMs?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A way to a central. Constructing it does nothing; `start` begins, `stop` ends and may be called twice. */
export interface Uplink {
  readonly name: string;
  /** Its receivers that get everything: the names of their queues. */
  readonly queues: readonly string[];
  /** Its receivers, once it has started. */
  readonly outboxes: readonly OutboxView[];
  /** Resolves when it listens to the bus; reaching the central may take longer and is its own business. */
  start(context: UplinkContext): Promise<void>;
  stop(): Promise<void>;
}
