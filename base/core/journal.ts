import type { Bus } from './bus.js';
import type { LateCommits } from './late-commits.js';
import type { Outbox, Outboxes, Told, ToldKind } from './outboxes.js';
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
  /** Messages of `tell` that are on their way to the disk, by unit. */
  readonly #telling = new Map<string, number>();

  constructor(bus: Bus, store: Store, outboxes: Outboxes) {
    this.#bus = bus;
    this.#store = store;
    this.#outboxes = outboxes;
  }

  /** False: a message of that kind would reach nobody. */
  wants(kind: ToldKind): boolean {
    return this.#bus.hasSubscribers(kind) || this.#outboxes.wants(kind);
  }

  /**
   * Commits the changes that a message is made of, with what receivers are to get of it, then publishes it. Rejects with
   * StoreError, nothing kept and nothing published. `accept` is called when it is on disk, before anybody hears of it.
   */
  async record(message: Told, changes: readonly Change[], accept?: () => void): Promise<void> {
    await this.#commit(message, this.#pick(message, changes.length === 0), changes, accept);
  }

  /**
   * For what need not be on disk for its own sake: where no receiver gets it, publishes at once, commits nothing and gives
   * `undefined`; else the same as `record`, with these changes. Messages of one unit keep the order of the calls.
   */
  tell(
    message: Told,
    changesOf: () => { readonly changes: readonly Change[]; readonly accept?: () => void },
  ): Promise<void> | undefined {
    const picked = this.#pick(message, true);
    const { unit } = message;
    const before = this.#telling.get(unit) ?? 0;
    if (picked.length === 0 && before === 0) {
      this.#bus.publish(message);
      return undefined;
    }
    const { changes, accept } = changesOf();
    this.#telling.set(unit, before + 1);
    return this.#commit(message, picked, changes, accept).finally(() => {
      const left = this.#telling.get(unit)! - 1;
      if (left === 0) this.#telling.delete(unit);
      else this.#telling.set(unit, left);
    });
  }

  /** Publishes at once; the changes, and what receivers are to get, are stored behind, and lost where the disk refuses. */
  publishAhead(message: Told, changes: readonly Change[], late: LateCommits): void {
    const picked = this.#pick(message, true);
    this.#bus.publish(message);
    if (picked.length === 0 && changes.length === 0) return;
    const items = picked.map(({ addition }): Change => ({ kind: 'item', addition }));
    late.add([...changes, ...items], (isStored) => {
      for (const { outbox, addition } of picked) {
        if (isStored) outbox.committed(addition);
        else outbox.failed(addition, true);
      }
    });
  }

  async #commit(
    message: Told,
    picked: readonly Picked[],
    changes: readonly Change[],
    accept: (() => void) | undefined,
  ): Promise<void> {
    try {
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

  /** Throws what an outbox throws; then none gets it. */
  #pick(message: Told, isForGood: boolean): readonly Picked[] {
    const picked: Picked[] = [];
    try {
      for (const outbox of this.#outboxes) {
        const addition = outbox.kinds?.has(message.kind) === false ? undefined : outbox.pick(message);
        if (addition !== undefined) picked.push({ outbox, addition });
      }
      return picked;
    } catch (error) {
      for (const { outbox, addition } of picked) outbox.failed(addition, isForGood);
      throw error;
    }
  }
}
