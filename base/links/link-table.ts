/**
 * One link per unit, whoever asks. A claim is granted when the one before it is let go, in the order of asking.
 * A unit's firmware serves one connection; a second would wait in its accept queue and hang.
 */
export class LinkTable {
  readonly #tails = new Map<string, Promise<void>>();

  /** Units whose link is claimed. */
  get size(): number {
    return this.#tails.size;
  }

  /** Resolves with what lets go (may be called twice). Rejects with the signal's reason when that aborts first. */
  async claim(unit: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const before = this.#tails.get(unit);
    let letGo!: () => void;
    const mine = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const tail = before === undefined ? mine : before.then(() => mine);
    this.#tails.set(unit, tail);
    const release = (): void => {
      letGo();
      if (this.#tails.get(unit) === tail) void tail.then(() => this.#forget(unit, tail));
    };
    if (before === undefined) return release;
    try {
      await aborted(before, signal);
    } catch (error) {
      release();
      throw error;
    }
    return release;
  }

  #forget(unit: string, tail: Promise<void>): void {
    if (this.#tails.get(unit) === tail) this.#tails.delete(unit);
  }
}

function aborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void promise.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
