import type { Bus } from './bus.js';
import type { Outbox, Outboxes, Told } from './outboxes.js';
import type { Addition } from './queue.js';
import type { Change, Store } from './store.js';

interface Picked {
  readonly outbox: Outbox;
  readonly addition: Addition;
}

/** Stores what happened before anybody hears of it: one commit for the change of state and for every receiver. */
export class Journal {
  readonly #bus: Bus;
  readonly #store: Store;
  readonly #outboxes: Outboxes;

  constructor(bus: Bus, store: Store, outboxes: Outboxes) {
    this.#bus = bus;
    this.#store = store;
    this.#outboxes = outboxes;
  }

  /**
   * Commits the changes that a message is made of, with what receivers are to get of it, then publishes it. Rejects with
   * StoreError, nothing kept and nothing published. `accept` is called when it is on disk, before anybody hears of it.
   */
  async record(message: Told, changes: readonly Change[], accept?: () => void): Promise<void> {
    const picked: Picked[] = [];
    try {
      for (const outbox of this.#outboxes) {
        const addition = outbox.pick(message);
        if (addition !== undefined) picked.push({ outbox, addition });
      }
      const items = picked.map(({ addition }): Change => ({ kind: 'item', addition }));
      await this.#store.commit([...changes, ...items]);
    } catch (error) {
      // Where no change of state is behind it, nobody will try again.
      for (const { outbox, addition } of picked) outbox.failed(addition, changes.length === 0);
      throw error;
    }
    accept?.();
    for (const { outbox, addition } of picked) outbox.committed(addition);
    this.#bus.publish(message);
  }
}
