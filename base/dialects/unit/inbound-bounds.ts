import { ProtocolError } from '../../../protocol/errors.js';
import type { Clock, Timer } from '../../core/clock.js';
import { TokenBucket } from '../../core/token-bucket.js';

/** A transmission must be complete so long after its first octet (reference/limits.md, "Frame"). */
export const FRAME_MS = 10_000;
/** Transmissions of one unit: so many a second, with a burst (reference/limits.md, "Rate limits"). */
export const UNIT_RATE = { perSecond: 50, burst: 200 } as const;

/** How fast and how slowly a unit may send: too many transmissions a second slow it down, one that never ends ends its session. */
export class InboundBounds {
  readonly #clock: Clock;
  readonly #tooSlow: (error: ProtocolError) => void;
  readonly #rate: TokenBucket;
  #frame: Timer | undefined;

  constructor(clock: Clock, tooSlow: (error: ProtocolError) => void) {
    this.#clock = clock;
    this.#tooSlow = tooSlow;
    this.#rate = new TokenBucket(UNIT_RATE, clock.monotonic());
  }

  /** A transmission has begun to arrive and is not complete. */
  get isMidFrame(): boolean {
    return this.#frame !== undefined;
  }

  /**
   * One more transmission is complete; how many ms to read no further. What answers a request of ours costs nothing: the
   * unit cannot send more of those than we asked for.
   */
  completed(isAnswer: boolean): number {
    this.stop();
    return isAnswer ? 0 : this.#rate.spend(this.#clock.monotonic());
  }

  /** A chunk is used up; so many octets of an unfinished transmission are left of it. */
  leftOver(octets: number): void {
    if (octets === 0) return;
    this.#frame ??= this.#clock.after(FRAME_MS, () =>
      this.#tooSlow(
        new ProtocolError('frame-too-slow', `a transmission was not complete within ${FRAME_MS / 1_000} s`),
      ),
    );
  }

  stop(): void {
    this.#frame?.cancel();
    this.#frame = undefined;
  }
}
