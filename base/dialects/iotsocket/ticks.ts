import type { Clock } from '../../core/clock.js';

/** Times of sessions and requests are counted in these: whole numbers, of which a session holds several, stay small. */
export const TICK_MS = 100;

/** The moment in ticks of the monotonic clock; never 0, which stands for "not". */
export const tickOf = (clock: Clock): number => Math.floor(clock.monotonic() / TICK_MS) + 1;

/** A time in ticks, at least one. */
export const ticks = (ms: number): number => Math.max(1, Math.ceil(ms / TICK_MS));
