import type { Address } from '../base/core/address.js';
import type { Values } from '../protocol/definition/index.js';

/** What happens in a simulation, for a terminal to print and a test to wait for. `unit` is a UID. */
export type SimulationEvent =
  | { readonly kind: 'listening'; readonly unit: string; readonly address: Address }
  /** A base has proved itself and answered the hello; for a line unit: somebody connected. */
  | { readonly kind: 'connected'; readonly unit: string; readonly remote: string }
  /** `reason` in words; absent when one side said goodbye. */
  | { readonly kind: 'disconnected'; readonly unit: string; readonly remote: string; readonly reason?: string }
  /** A connection failed before it was the unit's link: wrong key, no base at the address dialled, another base was there. */
  | { readonly kind: 'refusedConnection'; readonly unit: string; readonly reason: string }
  /** A command was done. */
  | { readonly kind: 'applied'; readonly unit: string; readonly command: string; readonly fields: Values }
  | { readonly kind: 'refusedCommand'; readonly unit: string; readonly command: string; readonly reason: string }
  /** The base acknowledged a report (`stored`), or refused it for good. For a line unit: it was written. */
  | {
      readonly kind: 'reported';
      readonly unit: string;
      readonly report: string;
      readonly stored: boolean;
      /** Absent on line units, which do not number their reports. */
      readonly sequence?: number;
    }
  | { readonly kind: 'restarted'; readonly unit: string; readonly boot: number }
  /** It has slept between two visits to its base. */
  | { readonly kind: 'woke'; readonly unit: string; readonly boot: number }
  /** A line that a firmware program printed. */
  | { readonly kind: 'printed'; readonly unit: string; readonly line: string }
  /** A firmware program ended by itself. */
  | { readonly kind: 'exited'; readonly unit: string; readonly reason: string };

export type HearSimulation = (event: SimulationEvent) => void;
