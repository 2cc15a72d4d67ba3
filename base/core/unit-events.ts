import type { Values } from '../../protocol/definition/index.js';
import type { Delivery, DeliveryResult } from './delivery.js';
import type { PresenceState } from './messages.js';
import type { OpaquePayload } from './opaque-payload.js';

/** A unit measured something: what a dialect hands to the router. */
export interface ReportInput {
  readonly uid: string;
  /** Name of the report in the definition. */
  readonly report: string;
  readonly fields: Values;
  readonly measuredAt: number;
  /** Where the unit numbers its reports. Without it the base numbers them itself. */
  readonly identity?: { readonly boot: number; readonly sequence: number };
}

/** A unit that is not typed says something: its report is named `telemetry`. */
export interface OpaqueReportInput {
  readonly uid: string;
  /** May be read later: its octets must not change any more. */
  readonly payload: OpaquePayload;
  /** Unix ms. Default: now. */
  readonly measuredAt?: number;
  /** False: told at once and stored behind; lost where the disk does not take it. Default true: told when it is on disk. */
  readonly durable?: boolean;
  /** False: it is no part of the history. Default true. */
  readonly history?: boolean;
}

/** Carries out a command of any of many units; what it resolves to is the command's outcome. */
export type DeliverTo = (uid: string, delivery: Delivery) => Promise<DeliveryResult>;

/**
 * `stored`: the base has it for good, or took it that is not to be durable. `duplicate`: it has it already, or there is no such
 * unit. `busy`: the disk does not take it; send it again. `refused`: it is no report of a unit of this handler, and never will
 * be.
 */
export type ReportVerdict = 'stored' | 'duplicate' | 'busy' | 'refused';

export interface HelloInput {
  readonly uid: string;
  readonly boot: number;
  readonly nonce: number;
  readonly version: string;
  /** Why it started, in its chip's own numbers. */
  readonly resetReason?: number;
  /** Octets of its heap that were free; `undefined`: it does not tell. */
  readonly freeHeap?: number | undefined;
}

export type HelloVerdict =
  | { readonly kind: 'welcome'; readonly acknowledged: number; readonly waiting: number }
  | { readonly kind: 'next-boot'; readonly boot: number };

export interface PresenceChange {
  readonly state?: PresenceState;
  /** Why it is so, of every state; absent: of a unit that stays offline, what it was. */
  readonly reason?: string;
  readonly drift?: readonly string[];
  /** Of a unit that sleeps: Unix ms of when it is to be heard again. Forgotten with the next `state`. */
  readonly expectedAt?: number;
}
