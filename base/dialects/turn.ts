/** Whoever has something to write. */
export interface Flushed {
  /** Writes it. */
  flush(): void;
}

/** Those who got something to write in this turn of the event loop: it goes out at its end, when everything was read. */
export class Turn {
  #waiting: Flushed[] = [];

  /** To be added once in a turn. */
  add(flushed: Flushed): void {
    if (this.#waiting.push(flushed) === 1) setImmediate(this.#end);
  }

  readonly #end = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const flushed of waiting) flushed.flush();
  };
}
