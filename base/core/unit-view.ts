import type { Values } from '../../protocol/definition/index.js';
import type { PresenceState } from './messages.js';
import type { UnitStart } from './unit-start.js';

/** What the base knows of a unit at this moment: what the API lists and the terminal shows. */
export interface UnitView {
  /** The UID. */
  readonly unit: string;
  /**
   * Name of the handler that serves it. `unit`, `line`: typed, over a session or with lines. `iotsocket`: an object of the
   * access list. `connector`: a device on a WebSocket. Others: handlers of the user's own.
   */
  readonly dialect: string;
  /** Name of the configured definition; absent, as `kind` and `wire` are, where the unit is not typed. */
  readonly definition?: string;
  /** The version the unit itself told; absent until it said hello, and on line units. */
  readonly version?: string;
  /** How it came up, and `resetReason` in words; absent until it said hello, and where units say none. */
  readonly started?: UnitStart & { readonly reset?: string };
  readonly kind?: 'read' | 'updatable';
  readonly wire?: 'session' | 'line';
  /** `host:port`; absent for a unit that dials in and has not yet. */
  readonly address?: string;
  readonly state: PresenceState;
  /** Why it is so: told of units that are offline, and of others where there is something to say. */
  readonly reason?: string;
  /** Differences between the flashed definition and ours, by name; empty when there is none. */
  readonly drift: readonly string[];
  /** Unix ms of the last octets from it. */
  readonly lastSeenAt?: number;
  /** Of a unit that sleeps and is not overdue: Unix ms of when it is to be heard again. */
  readonly expectedAt?: number;
  /** The last report of each name. */
  readonly last: Readonly<Record<string, LastReport>>;
  /** Commands in its mailbox that have no outcome yet. */
  readonly waiting: number;
  /** Since the base started. */
  readonly counts: {
    readonly reports: number;
    readonly commands: number;
    readonly missing: number;
    readonly refused: number;
  };
}

export interface LastReport {
  readonly id: string;
  readonly fields: Values;
  readonly measuredAt: number;
}
