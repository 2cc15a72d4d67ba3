import type { ConnectionTotals } from './connection-statistics.js';

/** The life of a base (wire/connector.md, "States"). `stopped`: its stop took too long and was forced. */
export const baseStates = ['created', 'started', 'stopped', 'gracefully_stopped'] as const;
export type BaseState = (typeof baseStates)[number];

/** How a handler is doing. */
export interface HandlerStatus {
  readonly name: string;
  /** `ended`: it stopped listening by itself. `failed`: what it threw ended it. */
  readonly state: 'starting' | 'running' | 'ended' | 'failed';
  /** What it threw that the base contained, since the start. */
  readonly faults: number;
  /** The last of it. */
  readonly lastFault?: string;
  /** What it counted of its own, since the start. */
  readonly counts: Readonly<Record<string, number>>;
  /** What it has of its own, at this moment. */
  readonly gauges: Readonly<Record<string, number>>;
}

/** How the base is doing, at this moment. */
export interface BaseStatus {
  readonly name: string;
  readonly version: string;
  readonly state: BaseState;
  /** Unix ms. */
  readonly startedAt: number;
  readonly uptimeS: number;
  readonly connections: number;
  readonly totals: ConnectionTotals;
  /** Without an outcome, over all units. Queries are commands named `query`. */
  readonly commandsWaiting: number;
  readonly queriesWaiting: number;
  /** What the process waits for: sockets, timers, files. */
  readonly activeHandles: number;
  /** Of the process: resident; taken for JavaScript's heap and what lies beside it; of that heap, used. */
  readonly memory: { readonly systemMiB: number; readonly allocatedMiB: number; readonly heapAllocatedMiB: number };
  /** Clients of event streams, of all of the base's HTTP servers. */
  readonly sseSubscribers: number;
  readonly handlers: readonly HandlerStatus[];
  /** What subscribers of topics, and the storage of connection statistics, threw. */
  readonly subscriberFaults: number;
  readonly statisticsFaults: number;
}

export interface StatusPort {
  status(): BaseStatus;
}
