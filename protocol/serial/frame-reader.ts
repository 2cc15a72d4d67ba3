import { type DecodedFrame, decodeFrame, frameTooLong, MAX_ENCODED_OCTETS } from './frame.js';

/**
 * Splits what comes over a serial line into frames. Keeps at most one frame's octets, whatever comes. What is no frame is
 * `bad`: once at its `00`, or as soon as it is too long for one, and then nothing until its `00`. A `00` alone, which only
 * ends what was before it, is nothing.
 */
export class FrameReader {
  readonly #encoded = new Uint8Array(MAX_ENCODED_OCTETS);
  #length = 0;
  #isTooLong = false;

  /** Octets of a frame that has not ended yet. */
  get pending(): number {
    return this.#length;
  }

  *push(chunk: Uint8Array): Generator<DecodedFrame> {
    for (const octet of chunk) {
      if (octet === 0) {
        const encoded = this.#encoded.subarray(0, this.#length);
        this.#length = 0;
        if (!this.#isTooLong && encoded.length > 0) yield decodeFrame(encoded);
        this.#isTooLong = false;
      } else if (this.#length < MAX_ENCODED_OCTETS) {
        this.#encoded[this.#length] = octet;
        this.#length += 1;
      } else if (!this.#isTooLong) {
        this.#isTooLong = true;
        yield frameTooLong();
      }
    }
  }
}
