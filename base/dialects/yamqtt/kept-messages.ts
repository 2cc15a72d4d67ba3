/**
 * Messages that wait beyond their turn are copied, where most of what came together with them is not to wait: else a long chunk
 * would stay for a short message. Slow subscribers of one flow share one copy: the last one is remembered.
 */
export class KeptMessages {
  #last: Buffer | undefined;
  #copy: Buffer | undefined;

  of(messages: Buffer): Buffer {
    if (messages.buffer.byteLength <= 2 * messages.length) return messages;
    if (this.#last !== messages) {
      this.#last = messages;
      this.#copy = joined([messages], messages.length);
    }
    return this.#copy!;
  }
}

/** Not `Buffer.concat`: that takes short ones from a pool, and those would keep all of it. */
export function joined(pieces: readonly Buffer[], octets: number): Buffer {
  const all = Buffer.allocUnsafeSlow(octets);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
