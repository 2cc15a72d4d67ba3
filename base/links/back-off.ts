import type { Random } from '../core/random.js';

/** Full jitter, doubling (reference/limits.md, "Back-off everywhere"). All in ms. */
export interface BackOffOptions {
  readonly firstMs: number;
  readonly capMs: number;
}

/** 1 s doubling to 60 s. */
export const DIAL_BACK_OFF: BackOffOptions = { firstMs: 1_000, capMs: 60_000 };
/** After a wrong key, UID or definition: somebody has to change something first, so there is no hurry. */
export const REFUSED_BACK_OFF_MS = 300_000;
/** Never nothing: a full-jitter draw near 0 would dial in a tight loop. */
const LEAST_MS = 50;

/** Endless delays: each drawn from 0 to a bound that doubles up to the cap. */
export function* backOff(random: Random, options: BackOffOptions = DIAL_BACK_OFF): Generator<number, never> {
  let bound = options.firstMs;
  for (;;) {
    yield Math.max(LEAST_MS, random.fraction() * bound);
    bound = Math.min(options.capMs, bound * 2);
  }
}
