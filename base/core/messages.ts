import type { Values } from '../../protocol/definition/index.js';
import type { Payload } from '../../protocol/iotsocket/payload.js';

/**
 * The core messages: what every dialect turns its octets into, and every uplink makes its events from.
 * One discriminated union on `kind`. Times are Unix ms; `unit` is a UID. What a unit says that is not typed, as an object
 * of the access list, is its `payload`; such messages have no `definition`.
 */
export type CoreMessage = Report | Command | Outcome | UnitRequest | UnitResponse | Presence | LogLine;

/** unit → base → central: something was measured, or happened. */
export interface Report {
  readonly kind: 'report';
  /** The identity `UID/boot/sequence` (`UID/boot/u/sequence` for datagrams): unique for ever, the same everywhere downstream. */
  readonly id: string;
  readonly unit: string;
  /** Name of the unit's definition; absent where the unit is not typed. */
  readonly definition?: string;
  /** Name of the report in the definition; `telemetry` of a unit that is not typed. */
  readonly report: string;
  /** Of a unit that is not typed: what of its payload can be charted (core/opaque-fields.ts). */
  readonly fields: Values;
  /** What a unit said that is not typed. */
  readonly payload?: Payload;
  /** Where the unit numbers its reports, its own numbers. The base numbers those of all units that are not typed together. */
  readonly boot: number;
  readonly sequence: number;
  readonly measuredAt: number;
  readonly receivedAt: number;
  /** How many reports before this one never arrived; absent when none is missing. */
  readonly missing?: number;
}

/** central → base → unit: do something. Ends in exactly one outcome. */
export interface Command {
  readonly kind: 'command';
  /** The sender's id; a second command with the same id for the same unit is a duplicate. */
  readonly id: string;
  readonly unit: string;
  /**
   * Name of the command in the definition; for a raw line of the original protocol `update`, for a unit that is not typed
   * `request`, or `query` where it only asks.
   */
  readonly command: string;
  readonly fields: Values;
  /** For a unit that is not typed, instead of fields. */
  readonly payload?: Payload;
  /** A line for a line unit, as the central wrote it, instead of fields. */
  readonly line?: string;
  /** Who sent it: `api`, `pusher`, … */
  readonly source: string;
  /** The address it came from, where that is known. */
  readonly origin?: string;
  readonly acceptedAt: number;
  /** Never delivered after this moment; its outcome is then `expired`. */
  readonly expiresAt: number;
}

/** How a command ended. */
export const outcomeKinds = ['ok', 'refused', 'unreachable', 'timeout', 'duplicate', 'expired', 'unknown'] as const;
export type OutcomeKind = (typeof outcomeKinds)[number];

/** How a command ended. Exactly one for each command; whoever sent it learns it. */
export interface Outcome {
  readonly kind: 'outcome';
  /** The command's id. */
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly outcome: OutcomeKind;
  /** Why, in words, when it is not `ok`. */
  readonly reason?: string;
  /** What the unit answered with, when the definition has reply fields. */
  readonly reply?: Values;
  /** What a unit that is not typed answered: its return code (wire/iotsocket.md), and the rest of it. */
  readonly code?: number;
  readonly payload?: Payload;
  readonly source: string;
  readonly at: number;
}

/** unit → base → central: a unit that is not typed asks something. */
export interface UnitRequest {
  readonly kind: 'request';
  /** `UID/boot/r/number`, numbered by the base: unique for ever, the same everywhere downstream. */
  readonly id: string;
  readonly unit: string;
  readonly payload: Payload;
  readonly at: number;
}

/** central → base → unit: the answer to that. The base itself answers where no central does. */
export interface UnitResponse {
  readonly kind: 'response';
  /** The request's. */
  readonly id: string;
  readonly unit: string;
  /** Return code of wire/iotsocket.md: 0 is valid. */
  readonly code: number;
  readonly payload?: Payload;
  readonly at: number;
}

/**
 * `online`: its link is up. `idle`: an updatable unit with nothing to send, which is reached on demand, or a unit that sleeps.
 * `offline`: it cannot be reached. `drifted` shows beside the state, in `drift`.
 */
export const presenceStates = ['online', 'idle', 'offline'] as const;
export type PresenceState = (typeof presenceStates)[number];

/** A unit came, went, or was found to run another definition. */
export interface Presence {
  readonly kind: 'presence';
  readonly unit: string;
  /** Absent where the unit is not typed. */
  readonly definition?: string;
  readonly state: PresenceState;
  /** Why it is so: told of units that are offline, and of others where there is something to say. */
  readonly reason?: string;
  /** Each difference between what was flashed and what the base believes, by name; empty when there is none. */
  readonly drift: readonly string[];
  readonly at: number;
}

/** A line a unit wrote to its log. */
export interface LogLine {
  readonly kind: 'log';
  readonly unit: string;
  readonly level: LogLevel;
  /** Without control characters. */
  readonly text: string;
  readonly at: number;
  /** So many lines before it are left out, because the unit wrote too many; absent when none is. */
  readonly leftOut?: number;
}

/** From the least to the most serious. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
