import { ProtocolError } from '../../../protocol/errors.js';
import type { Clock, Timer } from '../../core/clock.js';
import { TokenBucket } from '../../core/token-bucket.js';

/** A transmission must be complete so long after its first octet (reference/limits.md, "Frame"). */
const FRAME_MS = 10_000;
/** Transmissions of one unit: so many a second, with a burst (reference/limits.md, "Rate limits"). */
export const UNIT_RATE = { perSecond: 50, burst: 200 } as const;

export interface InboundBoundsOptions {
  readonly clock: Clock;
  /** Holds the unit's octets back, and lets them come again. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly tooSlow: (error: ProtocolError) => void;
}

/** How fast and how slowly a unit may send: too many transmissions a second slow it down, one that never ends ends its session. */
export class InboundBounds {
  readonly #options: InboundBoundsOptions;
  readonly #rate: TokenBucket;
  #frame: Timer | undefined;
  #pause: Timer | undefined;

  constructor(options: InboundBoundsOptions) {
    this.#options = options;
    this.#rate = new TokenBucket(UNIT_RATE, options.clock.monotonic());
  }

  /** A transmission has begun to arrive and is not complete. */
  get isMidFrame(): boolean {
    return this.#frame !== undefined;
  }

  /**
   * One more transmission is complete; false: read no further until `resume`. What answers a request of ours costs nothing:
   * the unit cannot send more of those than we asked for.
   */
  completed(isAnswer: boolean): boolean {
    const { clock, pause, resume } = this.#options;
    this.#frame?.cancel();
    this.#frame = undefined;
    const waitMs = isAnswer ? 0 : this.#rate.spend(clock.monotonic());
    if (waitMs === 0) return true;
    pause();
    this.#pause?.cancel();
    this.#pause = clock.after(waitMs, resume);
    return false;
  }

  /** A chunk is used up; so many octets of an unfinished transmission are left of it. */
  leftOver(octets: number): void {
    if (octets === 0) return;
    this.#frame ??= this.#options.clock.after(FRAME_MS, () =>
      this.#options.tooSlow(
        new ProtocolError('frame-too-slow', `a transmission was not complete within ${FRAME_MS / 1_000} s`),
      ),
    );
  }

  stop(): void {
    this.#frame?.cancel();
    this.#pause?.cancel();
  }
}
