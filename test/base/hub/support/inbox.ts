import { within } from './real-time.js';

/** What arrived, in order, for a test to take one by one. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  /** Those not yet taken. */
  get waiting(): readonly T[] {
    return this.#items;
  }

  next(what = 'the next arrival'): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return within(what, new Promise<T>((resolve) => this.#takers.push(resolve)));
  }
}
