import type { Values } from '../../protocol/definition/index.js';
import type { PresenceState } from './messages.js';

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

export type ReportVerdict = 'stored' | 'duplicate' | 'busy';

export interface HelloInput {
  readonly uid: string;
  readonly boot: number;
  readonly nonce: number;
  readonly version: string;
}

export type HelloVerdict =
  | { readonly kind: 'welcome'; readonly acknowledged: number; readonly waiting: number }
  | { readonly kind: 'next-boot'; readonly boot: number };

export interface PresenceChange {
  readonly state?: PresenceState;
  readonly reason?: string;
  readonly drift?: readonly string[];
}
