import { BaseUnitError } from '../../../protocol/errors.js';
import type { Timer } from '../../core/clock.js';
import { durationText } from '../../core/duration-text.js';
import { peerText } from '../../core/log.js';
import type { LinkState } from '../../links/link.js';
import type { HandlerContext } from '../handler.js';

/** A unit that sleeps is away when it has missed so many visits, and so much more: starting, Wi-Fi, what it had to tell. */
const MISSED_VISITS = 2;
const GRACE_MS = 60_000;

export interface SleeperOptions {
  readonly context: HandlerContext;
  readonly uid: string;
  /** Between two visits. */
  readonly sleepMs: number;
  /** What is told of a link that a unit which never sleeps has. */
  readonly ordinary: (state: LinkState) => void;
}

/**
 * The presence of a unit that sleeps (wire/unit.md, "Life of a link"): `idle` between two visits, whichever way the last one
 * ended, and `offline` when it has missed two. A unit that is refused is offline as any other.
 */
export class Sleeper {
  readonly #options: SleeperOptions;
  #isUp = false;
  /** It is in the order of things: every visit would else be a line in the log. */
  #isSaid = false;
  #expectedAt: number;
  #overdue: Timer | undefined;
  #isStopped = false;

  constructor(options: SleeperOptions) {
    this.#options = options;
    const { clock } = options.context;
    this.#expectedAt = clock.monotonic() + options.sleepMs;
  }

  /** Nothing is known of it yet: it may sleep, as it did when the base ended. */
  start(): void {
    this.#rest(undefined);
  }

  /** Its link is to end for good: it is waited for no longer. */
  stop(): void {
    this.#isStopped = true;
    this.#overdue?.cancel();
  }

  linkIs(state: LinkState): void {
    if (state.kind === 'opening') return;
    const wasUp = this.#isUp;
    this.#isUp = state.kind === 'up';
    if (state.kind === 'up') return this.#cameUp();
    const error = state.kind === 'failed' ? state.error : undefined;
    if (error !== undefined && !isPassing(error)) {
      this.#overdue?.cancel();
      this.#isSaid = false;
      return this.#options.ordinary(state);
    }
    // One that never gets through is overdue some time.
    if (wasUp) this.#rest(error);
  }

  /** Why a command cannot go to it now, and what to do. */
  whyAway(): string {
    const { context, sleepMs } = this.#options;
    const leftMs = this.#expectedAt - context.clock.monotonic();
    const when =
      leftMs >= 0
        ? `is expected again in ${durationText(leftMs)}`
        : `comes every ${durationText(sleepMs)}, but was expected ${durationText(-leftMs)} ago`;
    return `the unit sleeps and ${when}; give the command a time to wait (ttlS, --ttl) to have it delivered then`;
  }

  #cameUp(): void {
    const { context, uid } = this.#options;
    this.#overdue?.cancel();
    context.presence(uid, { state: 'online' });
    if (!this.#isSaid) context.log.info({ unit: uid }, 'link up; the unit sleeps between its visits, said once');
    this.#isSaid = true;
  }

  #rest(error: Error | undefined): void {
    const { context, uid, sleepMs } = this.#options;
    const { clock } = context;
    this.#expectedAt = clock.monotonic() + sleepMs;
    const isAsleep = error === undefined || (error instanceof BaseUnitError && error.code === 'link-asleep');
    const every = `expected again every ${durationText(sleepMs)}`;
    const reason = isAsleep ? `sleeps, ${every}` : `${peerText(error.message)}; it sleeps at times, ${every}`;
    context.presence(uid, { state: 'idle', reason, expectedAt: clock.now() + sleepMs });
    this.#overdue?.cancel();
    if (this.#isStopped) return;
    this.#overdue = clock.after(MISSED_VISITS * sleepMs + GRACE_MS, () => this.#isOverdue());
  }

  #isOverdue(): void {
    const { context, uid, sleepMs } = this.#options;
    const silence = durationText(MISSED_VISITS * sleepMs + GRACE_MS);
    const reason = `did not come for ${silence}, though it sleeps only ${durationText(sleepMs)} at a time`;
    context.presence(uid, { state: 'offline', reason });
    context.log.warn({ unit: uid, reason }, 'a unit that sleeps is overdue, said once');
    this.#isSaid = false;
  }
}

/** It is gone, and may be back with its next visit; nobody has to do anything. */
const isPassing = (error: Error): boolean =>
  error instanceof BaseUnitError && (error.family === 'link' || error.family === 'timeout');
