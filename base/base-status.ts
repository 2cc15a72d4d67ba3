import type { Clock, Timer } from './core/clock.js';
import type { Connections } from './core/connections.js';
import type { CommandsWaiting } from './core/mailbox.js';
import type { BaseState, BaseStatus, HandlerStatus, StatusPort } from './core/status.js';
import type { Topics } from './core/topics.js';

/** How often what is measured is published, while somebody listens. */
export const MEASURED_EVERY_MS = 5_000;
/** A wall clock that is further from where it was has been set: a Raspberry Pi has none of its own when it starts. */
const CLOCK_SET_MS = 1_000;

const measuredTopics = ['system_metrics::allocated_memory', 'system_metrics::num_go_routines'] as const;

/** What only the machine can tell of the process. */
export type Measured = Pick<BaseStatus, 'activeHandles' | 'memory'>;

export interface LiveStatusOptions {
  readonly name: string;
  readonly version: string;
  /** The life of the base, as it is now. */
  readonly state: () => BaseState;
  readonly connections: Pick<Connections, 'size' | 'totals' | 'failures'>;
  readonly topics: Topics;
  /** As `HandlerHost.status` gives them. */
  readonly handlers: () => readonly HandlerStatus[];
  /** As `Router.waiting` gives it. */
  readonly waiting: () => CommandsWaiting;
  /** Clients of event streams, over all HTTP servers. */
  readonly sseSubscribers: () => number;
  readonly measure: () => Measured;
  readonly clock: Clock;
}

/** How the base is doing: asked of its parts whenever somebody looks. */
export class LiveStatus implements StatusPort {
  readonly #options: LiveStatusOptions;
  readonly #sinceMonotonic: number;
  #startedAt: number;
  #timer: Timer | undefined;

  constructor(options: LiveStatusOptions) {
    this.#options = options;
    this.#sinceMonotonic = options.clock.monotonic();
    this.#startedAt = options.clock.now();
  }

  /** Begins to publish `system_metrics::…` every 5 s. */
  start(): void {
    this.#timer ??= this.#publishLater();
  }

  /** May be called twice. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  status(): BaseStatus {
    const { name, version, state, connections, topics, handlers, waiting, sseSubscribers, measure } = this.#options;
    const { commands, queries } = waiting();
    return {
      name,
      version,
      state: state(),
      ...this.#life(),
      connections: connections.size,
      totals: connections.totals(),
      commandsWaiting: commands,
      queriesWaiting: queries,
      ...measure(),
      sseSubscribers: sseSubscribers(),
      handlers: handlers(),
      subscriberFaults: topics.failures,
      statisticsFaults: connections.failures,
    };
  }

  #life(): Pick<BaseStatus, 'startedAt' | 'uptimeS'> {
    const { clock } = this.#options;
    const uptimeMs = clock.monotonic() - this.#sinceMonotonic;
    const startedAt = Math.round(clock.now() - uptimeMs);
    if (Math.abs(startedAt - this.#startedAt) >= CLOCK_SET_MS) this.#startedAt = startedAt;
    return { startedAt: this.#startedAt, uptimeS: Math.floor(uptimeMs / 1_000) };
  }

  #publishLater(): Timer {
    return this.#options.clock.after(MEASURED_EVERY_MS, () => {
      this.#timer = this.#publishLater();
      this.#publish();
    });
  }

  #publish(): void {
    const { topics, measure } = this.#options;
    if (!measuredTopics.some((topic) => topics.hasSubscribers(topic))) return;
    const { activeHandles, memory } = measure();
    topics.publish('system_metrics::allocated_memory', { value: memory.allocatedMiB, unit: 'Mb' });
    topics.publish('system_metrics::num_go_routines', { value: activeHandles });
  }
}
