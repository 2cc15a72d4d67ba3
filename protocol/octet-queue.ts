import { concat } from './octets.js';

/** The octets of a stream that are not decoded yet. Copies only what a frame leaves behind in its chunk. */
export class OctetQueue {
  #pending: Uint8Array = new Uint8Array(0);

  get length(): number {
    return this.#pending.length;
  }

  /** Adds a chunk. It is the queue's own until every octet of it is consumed or `settle` is called. */
  push(chunk: Uint8Array): void {
    this.#pending = this.#pending.length === 0 ? chunk : concat(this.#pending, chunk);
  }

  /** What is there, front first. */
  peek(): Uint8Array {
    return this.#pending;
  }

  consume(count: number): void {
    this.#pending = this.#pending.subarray(count);
  }

  /** Copies what is left out of its chunk, so that a large chunk is not kept alive by a few octets. Call it when done with a chunk. */
  settle(): void {
    // Not `slice`: a Buffer's is a view.
    this.#pending = new Uint8Array(this.#pending);
  }
}
