import { ProtocolError } from '../errors.js';

/** The longest line, in octets, its end not counted (reference/limits.md, "Firmware"). */
export const MAX_LINE_OCTETS = 512;

const LF = 0x0a;
const CR = 0x0d;

export type LineResult =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'bad'; readonly error: ProtocolError };

/**
 * Splits a stream into lines ended by `\n`, `\r` or both together (wire/iot-base.md). Keeps at most one line's octets;
 * after a line that is too long nothing more comes.
 */
export class LineReader {
  readonly #maxOctets: number;
  #line: number[] = [];
  #afterCr = false;
  #ended = false;

  constructor(maxOctets = MAX_LINE_OCTETS) {
    this.#maxOctets = maxOctets;
  }

  /** Octets of a line that has not ended yet. */
  get pending(): number {
    return this.#line.length;
  }

  *push(chunk: Uint8Array): Generator<LineResult> {
    for (const octet of chunk) {
      if (this.#ended) return;
      const isSecondHalf = octet === LF && this.#afterCr;
      this.#afterCr = octet === CR;
      if (isSecondHalf) continue;
      if (octet === LF || octet === CR) {
        const text = String.fromCharCode(...this.#line);
        this.#line = [];
        yield { kind: 'line', text: asUtf8(text) };
      } else if (this.#line.length === this.#maxOctets) {
        this.#ended = true;
        this.#line = [];
        yield {
          kind: 'bad',
          error: new ProtocolError('line-too-long', `a line of more than ${this.#maxOctets} octets without an end`),
        };
      } else {
        this.#line.push(octet);
      }
    }
  }
}

/** Octets that are no UTF-8 become U+FFFD, which no value has. */
function asUtf8(latin1: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    Uint8Array.from(latin1, (character) => character.charCodeAt(0)),
  );
}
