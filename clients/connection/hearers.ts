/** Functions that want to hear of something, each of it in turn. */
export class Hearers<T> {
  readonly #hearers = new Set<(heard: T) => void>();

  /** Calls for everything from now on; gives the function that ends it. */
  add(hear: (heard: T) => void): () => void {
    this.#hearers.add(hear);
    return () => void this.#hearers.delete(hear);
  }

  tell(heard: T): void {
    for (const hear of this.#hearers) {
      try {
        hear(heard);
      } catch (error) {
        // A fault of the hearer, as loud as it would be anywhere, but not in the middle of what is done here.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
