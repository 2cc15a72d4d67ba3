import type { Addition } from '../../core/queue.js';

/** What waits for one receiver (reference/limits.md, Webhook): three hours of one report a second. */
export const MAX_ITEMS = 10_000;
export const MAX_OCTETS = 64 * 1024 * 1024;

export interface RoomBounds {
  readonly maxItems?: number | undefined;
  readonly maxOctets?: number | undefined;
}

/** How much may wait for one receiver. What is being stored has its place already. */
export class OutboxRoom {
  readonly #maxItems: number;
  readonly #maxOctets: number;
  #items = 0;
  #octets = 0;

  constructor({ maxItems = MAX_ITEMS, maxOctets = MAX_OCTETS }: RoomBounds) {
    this.#maxItems = maxItems;
    this.#maxOctets = maxOctets;
  }

  /** Why there is no room for it beside what waits; `undefined`: there is, and it is taken until `left`. */
  take({ entry }: Addition, waiting: { readonly count: number; readonly octets: number }): string | undefined {
    if (waiting.count + this.#items >= this.#maxItems)
      return `the outbox is full: ${this.#maxItems} items wait already`;
    if (waiting.octets + this.#octets + entry.octets > this.#maxOctets)
      return `the outbox is full: ${this.#maxOctets} octets wait already`;
    this.#items += 1;
    this.#octets += entry.octets;
    return undefined;
  }

  /** It waits now, or could not be stored. */
  left({ entry }: Addition): void {
    this.#items -= 1;
    this.#octets -= entry.octets;
  }
}
