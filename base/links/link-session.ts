import type { Delivery, DeliveryResult } from '../core/delivery.js';

/** What a dialect makes of a carrier once both sides have opened: the link's use of it. */
export interface LinkSession {
  /** Which life of the unit this is. A command sent in one life and unanswered is `unknown` in the next. */
  readonly life: string;
  /** A command waits for its answer, or a report is under way: do not close for idleness. */
  readonly isBusy: boolean;
  /** One side has said goodbye, or it is over: nothing can be delivered any more. */
  readonly isClosing: boolean;
  /** Resolves with the outcome, a time-out included. Rejects with LinkError when the link is lost before the answer. */
  deliver(delivery: Delivery): Promise<DeliveryResult>;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** Says goodbye and ends the carrier. `LinkEvents.closed` follows without an error, after {@link GOODBYE_MS} at the latest. */
  close(why: 'idle' | 'stopping' | 'replaced'): void;
  /** Ends the carrier at once. `LinkEvents.closed` follows with this error. */
  fail(error: Error): void;
}

/** How long a peer may take to close after we said goodbye. */
export const GOODBYE_MS = 2_000;

/** What a session tells its link. */
export interface LinkEvents {
  /** Octets arrived: the peer lives. */
  inbound(): void;
  /** Nothing follows. Called exactly once, also when opening failed. */
  closed(error: Error | undefined): void;
}

/**
 * Makes a session of a carrier. Resolves when it is open; rejects, the carrier destroyed, when it cannot be or the signal
 * aborts first. Afterwards the signal has no meaning. It bounds its own time: the link waits for it.
 */
export type OpenSession = (events: LinkEvents, signal: AbortSignal) => Promise<LinkSession>;
