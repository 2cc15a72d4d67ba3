import type { Random } from '../../core/random.js';

const S = 1_000;
const MIN = 60 * S;
const H = 60 * MIN;

/** When an item is tried, each counted from the attempt before (reference/limits.md, Webhook): three days in all. */
export const SCHEDULE_MS: readonly number[] = [
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
];

/** Receivers that fell over together must not be asked again together. */
const JITTER = 0.2;

/** The wait before the attempt of that number (0: the first, at once), in ms; `undefined`: it is to be given up. */
export function waitBefore(schedule: readonly number[], attempt: number, random: Random): number | undefined {
  const waitMs = schedule[attempt];
  return waitMs === undefined ? undefined : Math.round(waitMs * (1 - JITTER + 2 * JITTER * random.fraction()));
}

/** The longest that wait can be. */
export function longestWaitBefore(schedule: readonly number[], attempt: number): number {
  return (schedule[attempt] ?? schedule.at(-1)!) * (1 + JITTER);
}
