import { MESSAGE_OCTETS } from './records.js';

/** Whole messages, one after the other: from `start` to before `end`, a multiple of 3 072 octets. The octets are the receiver's. */
export type TakeMessages = (octets: Uint8Array, start: number, end: number) => void;

/**
 * Finds the messages of a stream, however TCP has cut and joined them. Those that are whole in a chunk are handed on where they
 * lie; only one that spans chunks is copied. Keeps less than one message.
 */
export class MessageReader {
  readonly #take: TakeMessages;
  readonly #allocate: (octets: number) => Uint8Array;
  /** Room for the message that has begun; made when one has. */
  #part: Uint8Array | undefined;
  #partOctets = 0;

  /** `allocate`: room for a message that spans chunks; every octet of it is written before it is handed on. */
  constructor(take: TakeMessages, allocate = (octets: number): Uint8Array => new Uint8Array(octets)) {
    this.#take = take;
    this.#allocate = allocate;
  }

  /** Octets of a message that is not whole yet. */
  get pending(): number {
    return this.#partOctets;
  }

  /** What is handed on is part of `chunk`, or made here; nothing of `chunk` is kept. */
  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#partOctets > 0) {
      at = Math.min(chunk.length, MESSAGE_OCTETS - this.#partOctets);
      this.#keep(chunk, 0, at);
      if (this.#partOctets < MESSAGE_OCTETS) return;
      const whole = this.#part!;
      this.#part = undefined;
      this.#partOctets = 0;
      this.#take(whole, 0, MESSAGE_OCTETS);
    }
    const end = chunk.length - ((chunk.length - at) % MESSAGE_OCTETS);
    if (end > at) this.#take(chunk, at, end);
    if (end < chunk.length) this.#keep(chunk, end, chunk.length);
  }

  #keep(chunk: Uint8Array, start: number, end: number): void {
    this.#part ??= this.#allocate(MESSAGE_OCTETS);
    this.#part.set(chunk.subarray(start, end), this.#partOctets);
    this.#partOctets += end - start;
  }
}
