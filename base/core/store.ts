import type { Values } from '../../protocol/definition/index.js';
import type { Command, Outcome, PresenceState, Report } from './messages.js';
import type { Addition } from './queue.js';
import type { UnitStart } from './unit-start.js';
import type { LastReport } from './unit-view.js';

/**
 * Where state outlives the process: the registry, the mailbox, the history. Everything that is committed is on disk when
 * the promise resolves; commits take effect in the order in which they were asked for. Rejections are StoreError.
 */
export interface Store {
  /** All of it is on disk when this resolves; nothing of it is kept when it rejects. */
  commit(changes: readonly Change[]): Promise<void>;
  /** What an earlier run left. Once, before the first commit. */
  load(): Promise<StoredState>;
  /** Reports up to this place are committed: units' states that are taken now have them. */
  mark(): number;
  /** Saves units' states. With a mark: no other unit has changed since, so reports up to it need not be replayed. */
  save(units: readonly StoredUnit[], mark?: number): Promise<void>;
  /** The course of one report of one unit. */
  history(query: HistoryQuery): Promise<History>;
  /** Erases everything about a unit. Resolves when nothing of it is left in the store and its backups. */
  forget(unit: string): Promise<void>;
  /** A copy of the whole store in the folder of backups. Gives its path. */
  backup(): Promise<string>;
}

export type Change =
  | { readonly kind: 'report'; readonly report: Report }
  | { readonly kind: 'unit'; readonly unit: StoredUnit }
  | { readonly kind: 'command'; readonly command: StoredCommand }
  /** It is about to be sent to the unit, in that life of it; `undefined`: it was not sent after all. */
  | { readonly kind: 'sent'; readonly ordinal: number; readonly life: string | undefined }
  | { readonly kind: 'outcome'; readonly ordinal: number; readonly outcome: Outcome }
  /** It has ended, and its id need not be known any more. */
  | { readonly kind: 'drop'; readonly ordinal: number }
  | { readonly kind: 'item'; readonly addition: Addition }
  /** A transmission for a peer that is away. */
  | { readonly kind: 'keep'; readonly kept: Kept }
  | { readonly kind: 'unkeep'; readonly positions: readonly number[] }
  /** What a handler notes; in the place of what it noted before with that key. */
  | { readonly kind: 'record'; readonly record: StoredRecord }
  | { readonly kind: 'erase'; readonly handler: string; readonly key: string }
  /** The number of this run. */
  | { readonly kind: 'run'; readonly run: number };

export interface StoredState {
  readonly units: readonly StoredUnit[];
  /** Reports behind those states, oldest first: what a state is brought up to date with. */
  readonly reports: readonly StoredReport[];
  /** In the order of acceptance: all without an outcome, and the latest that have one. */
  readonly commands: readonly StoredCommand[];
  /** The highest place that was given to a command. */
  readonly lastOrdinal: number;
  /** When the last run last said so, Unix ms; `undefined`: nobody knows. A clock that is behind it is wrong. */
  readonly savedAt: number | undefined;
  /** Transmissions for peers that were away, in order. */
  readonly kept: readonly Kept[];
  /** What handlers have noted. */
  readonly records: readonly StoredRecord[];
  /** The highest number of a run; 0: there was none that said so. */
  readonly lastRun: number;
}

/** A transmission that is kept for a peer, as it is to be sent. */
export interface Kept {
  /** Its place among all of them, and what it is named by. */
  readonly position: number;
  /** UID of the peer; empty for the central. */
  readonly unit: string;
  readonly octets: Uint8Array;
  /** Since when. */
  readonly at: number;
}

/** Something that a handler notes, to know it after a restart. */
export interface StoredRecord {
  /** Name of the handler. */
  readonly handler: string;
  /** The handler's own name for it. */
  readonly key: string;
  /** UID of the unit that it is about, with which it is forgotten. */
  readonly unit?: string | undefined;
  /** JSON. */
  readonly value: unknown;
}

export interface StoredUnit {
  readonly unit: string;
  readonly state: UnitState;
}

/** What must be known of a unit after a restart. */
export interface UnitState {
  /** Name of the handler that served it; absent of a typed unit, and where an earlier version has stored it. */
  readonly handler?: string | undefined;
  /** Numbering of its reports (core/report-sequence.ts). */
  readonly boot?: number | undefined;
  readonly nonce?: number | undefined;
  readonly sequence?: number | undefined;
  /** Numbering by the base, where the unit has none: the highest boot used. */
  readonly ownBoot: number;
  /** The last command id on the wire. */
  readonly wireId: number;
  readonly version?: string | undefined;
  /** Absent where an earlier version has stored it. */
  readonly started?: UnitStart | undefined;
  readonly drift: readonly string[];
  /** What centrals were last told. */
  readonly told: { readonly state: PresenceState; readonly reason?: string | undefined };
  readonly lastSeenAt?: number | undefined;
  readonly last: Readonly<Record<string, LastReport>>;
}

export interface StoredReport {
  readonly unit: string;
  readonly report: string;
  readonly boot: number;
  readonly sequence: number;
  readonly measuredAt: number;
  readonly receivedAt: number;
  readonly fields: Values;
}

/** A command with all that is needed to go on with it after a restart. */
export interface StoredCommand {
  /** Its place in the order of acceptance, over all units. */
  readonly ordinal: number;
  readonly command: Command;
  readonly wireId: number;
  readonly timeoutMs: number;
  readonly isPatient: boolean;
  /** The unit's life in which it may have been sent; `undefined`: it was not. */
  readonly sentIn?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

export const resolutions = ['raw', 'minute', 'hour'] as const;
export type Resolution = (typeof resolutions)[number];

export interface HistoryQuery {
  readonly unit: string;
  readonly report: string;
  /** Unix ms; `from` ≤ time < `to`. */
  readonly from: number;
  readonly to: number;
  readonly resolution: Resolution;
  /** At most so many moments; the oldest come. */
  readonly limit: number;
}

/** Columns of equal length, as chart libraries take them. */
export interface History {
  /** Unix ms, ascending: when it was measured, or where the minute or hour begins. */
  readonly at: readonly number[];
  /** By field, at most 128 of them. `raw`: the values as they were reported; `null` where a moment has none. */
  readonly fields: Readonly<Record<string, FieldCourse>>;
  /** More moments are there than the limit allows. */
  readonly isCut: boolean;
}

export type FieldCourse =
  | { readonly values: readonly unknown[] }
  | {
      readonly count: readonly (number | null)[];
      readonly min: readonly (number | null)[];
      readonly mean: readonly (number | null)[];
      readonly max: readonly (number | null)[];
    };
