import { LinkError } from '../../protocol/errors.js';
import type { Clock, Timer } from '../core/clock.js';
import type { LinkSession } from './link-session.js';

/** A ping after so long without inbound octets (our own writes prove nothing); without any for so long the link is dead. */
export interface Heartbeat {
  readonly pingAfterMs: number;
  readonly deadAfterMs: number;
}

/** wire/unit.md, "Life of a link". */
export const HEARTBEAT: Heartbeat = { pingAfterMs: 15_000, deadAfterMs: 45_000 };

export interface LinkWatchOptions {
  readonly session: LinkSession;
  readonly heartbeat: Heartbeat;
  /** Close after so long without a command in flight or a report coming; `undefined`: never. */
  readonly idleMs: number | undefined;
  /** A command is in flight. */
  readonly isDelivering: () => boolean;
  readonly clock: Clock;
}

/** Heartbeat and idleness of one link that is up. One timer; `stop` when the link has ended. */
export class LinkWatch {
  readonly #options: LinkWatchOptions;
  #lastInbound: number;
  #lastActive: number;
  #hasPinged = false;
  #timer: Timer | undefined;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    this.#lastInbound = options.clock.monotonic();
    this.#lastActive = this.#lastInbound;
  }

  start(): void {
    this.#check();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Octets arrived. */
  inbound(): void {
    this.#lastInbound = this.#options.clock.monotonic();
    this.#lastActive = this.#lastInbound;
    this.#hasPinged = false;
  }

  /** A command ended: idleness counts from here. */
  delivered(): void {
    this.#lastActive = this.#options.clock.monotonic();
  }

  #check(): void {
    const { clock, heartbeat, idleMs, session } = this.#options;
    const now = clock.monotonic();
    const silentMs = now - this.#lastInbound;
    if (silentMs >= heartbeat.deadAfterMs) {
      session.fail(new LinkError('link-silent', `nothing was heard for ${heartbeat.deadAfterMs / 1_000} s`));
      return;
    }
    if (session.isBusy || this.#options.isDelivering()) this.#lastActive = now;
    if (idleMs !== undefined && now - this.#lastActive >= idleMs) {
      session.close('idle');
      return;
    }
    if (silentMs >= heartbeat.pingAfterMs && !this.#hasPinged) {
      this.#hasPinged = true;
      session.ping();
    }
    // After a ping look again as soon as the next could be due: octets may have come meanwhile.
    const pingMs = this.#hasPinged ? heartbeat.pingAfterMs : heartbeat.pingAfterMs - silentMs;
    const leftMs = Math.min(pingMs, heartbeat.deadAfterMs - silentMs);
    const untilIdleMs = idleMs === undefined ? leftMs : this.#lastActive + idleMs - now;
    this.#timer = clock.after(Math.max(1, Math.min(leftMs, untilIdleMs)), () => this.#check());
  }
}
