import type { Clock } from '../../base/core/clock.js';

/** A server's answer, and how far its clock is from ours. */
export interface HeardDate {
  readonly from: string;
  /** Ours minus the server's, in ms. */
  readonly aheadMs: number;
}

/** The moments that servers name in the answers which the checks get anyway. */
export class HeardDates {
  readonly #clock: Clock;
  readonly #all: HeardDate[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): readonly HeardDate[] {
    return this.#all;
  }

  /** The header `Date` of an answer that has just come. */
  hear(from: string, header: string | undefined): void {
    const at = header === undefined ? Number.NaN : Date.parse(header);
    if (!Number.isNaN(at)) this.#all.push({ from, aheadMs: this.#clock.now() - at });
  }
}
