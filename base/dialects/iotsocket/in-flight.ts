import type { OwnAnswer } from './own-request.js';

/** A request that the base asks itself. Its time is over at `deadline`, in ticks, whatever else happens. */
export interface Waiter {
  readonly deadline: number;
  /** Once, with the answer. */
  settle(answer: OwnAnswer): void;
}

/** It waits to be delivered: its clock stands. */
export const KEPT = 0;

/**
 * Requests in one direction between one object and the other side, by tracking number. What each number holds:
 *
 *     deadline > 0    under way for a session; the tick at which its time is over
 *     KEPT            kept for a peer that is away
 *     Waiter          under way, or kept, for the base itself
 *     until < 0       its time is over, and the answer still owed until tick `-until`: nobody may use the number meanwhile,
 *                     or that answer would be taken for the newer request's
 *
 * Numbers instead of objects: a relay adds and takes away one for every request.
 */
export type InFlight = Map<number, number | Waiter>;

const NUMBERS = 65_536;

/** A number that is free in both senses, beginning the search behind `last`; `undefined`: none is. */
export function freeNumber(inFlight: InFlight | undefined, last: number): number | undefined {
  for (let step = 1; step <= NUMBERS; step += 1) {
    const number = (last + step) % NUMBERS;
    if (inFlight === undefined || !inFlight.has(number)) return number;
  }
  return undefined;
}

/** Whether a number may not be used for another request. */
export function isTaken(state: number | Waiter | undefined, tick: number): boolean {
  return state !== undefined && !(typeof state === 'number' && state < 0 && -state <= tick);
}
