import type { Random } from '../../core/random.js';

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;

/** When an item is tried, each counted from the attempt before (reference/limits.md, Webhook): three days in all. */
export const SCHEDULE_MS = [
  0,
  5 * S,
  1 * MIN,
  5 * MIN,
  30 * MIN,
  2 * H,
  5 * H,
  10 * H,
  14 * H,
  20 * H,
  24 * H,
] as const;

/** Receivers that fell over together must not be asked again together. */
const JITTER = 0.2;

/** The waits before each attempt, in ms, from the attempt of that number on (0: the first, at once). Ends when it is to be given up. */
export function* retryDelays(random: Random, fromAttempt = 0): Generator<number, void, void> {
  for (const waitMs of SCHEDULE_MS.slice(fromAttempt))
    yield Math.round(waitMs * (1 - JITTER + 2 * JITTER * random.fraction()));
}
