import type { AccessEntry } from './access-entry.js';
import type { IotsocketLimits } from './iotsocket-limits.js';
import type { Relay } from './relay.js';
import type { StreamSession } from './stream-session.js';

/** What all sessions share. */
export interface SessionHost {
  readonly limits: IotsocketLimits;
  readonly relay: Relay;
  /** The moment (`ticks.ts`). */
  tick(): number;
  /** When a peer that was told goodbye now is to be cut. */
  goodbyeTick(): number;
  /** Calls `flush` when everything that was read in this turn has been relayed, or sooner. */
  flushLater(session: StreamSession): void;
  /** All of one read has been relayed. */
  readDone(): void;
  /** It said goodbye. */
  closedByPeer(session: StreamSession, code: number): void;
  /** Its connection is gone. */
  closed(session: StreamSession): void;
  /** It broke the protocol, or we failed: it is told the code, and its session ends. */
  broken(session: StreamSession, code: number, error: Error): void;
  /** More is written to it than it may leave untaken. */
  tooSlow(session: StreamSession): void;
  /** It is not read until that tick. */
  throttled(session: StreamSession, until: number): void;
  /** The central's list. Rejects when it is refused. */
  replaceAccessList(entries: readonly AccessEntry[]): Promise<void>;
}
