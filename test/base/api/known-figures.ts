import type { EventLoopDelay, Figures } from '../../../base/api/figures.js';
import { LiveStatus, type Measured } from '../../../base/base-status.js';
import type { Clock } from '../../../base/core/clock.js';
import { Connections } from '../../../base/core/connections.js';
import { MemoryStatistics } from '../../../base/core/memory-statistics.js';
import type { UnitCount } from '../../../base/core/registry.js';
import type { BaseState, HandlerStatus } from '../../../base/core/status.js';
import { Topics } from '../../../base/core/topics.js';
import { QuietLog } from '../../support/quiet-log.js';
import { countingRandom } from './running-api.js';

/** How a base is doing that a test makes up; connections and topics are real ones. */
export class KnownFigures implements Figures {
  readonly topics: Topics;
  readonly connections: Connections;
  readonly statistics: MemoryStatistics;
  readonly status: LiveStatus;
  state: BaseState = 'started';
  handlers: HandlerStatus[] = [{ name: 'unit', state: 'running', faults: 0, counts: {}, gauges: {} }];
  waiting = { commands: 0, queries: 0 };
  measured: Measured = {
    activeHandles: 12,
    memory: { systemMiB: 1_024, allocatedMiB: 64.5, heapAllocatedMiB: 20.25 },
  };
  /** How often it was measured. */
  measurements = 0;
  sseSubscribers = 0;
  units: UnitCount[] = [];
  delay: EventLoopDelay = { meanS: 0, p99S: 0, maxS: 0 };
  readonly loop: ('start' | 'stop')[] = [];
  kept = 0;
  lost = 0;
  commits = 0;
  dropped = 0;

  constructor(clock: Clock) {
    const log = new QuietLog();
    this.topics = new Topics(log);
    this.statistics = new MemoryStatistics(clock);
    const { topics, statistics } = this;
    this.connections = new Connections({ statistics, topics, clock, random: countingRandom, log });
    this.status = new LiveStatus({
      name: 'test',
      version: '1.2.3',
      state: () => this.state,
      connections: this.connections,
      topics,
      handlers: () => this.handlers,
      waiting: () => this.waiting,
      sseSubscribers: () => this.sseSubscribers,
      measure: () => {
        this.measurements += 1;
        return this.measured;
      },
      clock,
    });
  }

  readonly eventLoop = {
    start: () => void this.loop.push('start'),
    stop: () => void this.loop.push('stop'),
    take: () => this.delay,
  };
  census = (): readonly UnitCount[] => this.units;
  keptTransmissions = (): number => this.kept;
  lostReadings = (): number => this.lost;
  commitsWaiting = (): number => this.commits;
  droppedTopicEvents = (): number => this.dropped;
}
