import type { UnitCount } from '../core/registry.js';

/** What only the metrics ask of the base's parts. None of it may wait. */
export interface Figures {
  /** As `Router.census` gives it. */
  census(): readonly UnitCount[];
  /** Transmissions that are kept for peers that are away. */
  keptTransmissions(): number;
  /** Readings of units that are not typed that were told and found no way to the disk, since the start. */
  lostReadings(): number;
  /** Commits that wait for the disk. */
  commitsWaiting(): number;
  /** Events of topics that subscribers were too slow for, since the start. */
  droppedTopicEvents(): number;
  readonly eventLoop: EventLoop;
}

/** How late the event loop comes to what is due. */
export interface EventLoop {
  /** Begins to measure. */
  start(): void;
  /** May be called twice, and without a start. */
  stop(): void;
  /** Of the time since it was asked before. */
  take(): EventLoopDelay;
}

/** In seconds; 0 where nothing was measured. */
export interface EventLoopDelay {
  readonly meanS: number;
  /** 99 of 100 are at most so late. */
  readonly p99S: number;
  readonly maxS: number;
}
