import { ProtocolError } from '../errors.js';
import { OctetQueue } from '../octet-queue.js';
import { concat, equalInConstantTime } from '../octets.js';
import { directions, type SessionCrypto, TAG_OCTETS, tagOf } from './proof.js';
import { decodeTransmission, encodeTransmission, type Transmission, type TransmissionLimits } from './transmission.js';

/** The longest payload that typed units and the base send each other (reference/limits.md, "Frame"). */
export const MAX_UNIT_PAYLOAD = 2_048;

export type Received =
  | { readonly kind: 'transmission'; readonly transmission: Transmission }
  /** The session is over: send close `00`, then close. */
  | { readonly kind: 'bad'; readonly error: ProtocolError };

/**
 * The transmissions of a session with mutual proof, each followed by its tag (wire/unit.md, step 5). One object a session
 * and side; octets in, octets out. Each direction counts from 0, so nothing can be left out, repeated or put elsewhere.
 */
export class SealedStream {
  readonly #crypto: SessionCrypto;
  readonly #key: Uint8Array;
  readonly #out: number;
  readonly #in: number;
  readonly #limits: TransmissionLimits;
  readonly #queue = new OctetQueue();
  #sent = 0n;
  #received = 0n;
  #ended = false;

  constructor(options: {
    readonly crypto: SessionCrypto;
    readonly sessionKey: Uint8Array;
    readonly role: 'unit' | 'base';
    readonly limits?: TransmissionLimits;
  }) {
    this.#crypto = options.crypto;
    this.#key = options.sessionKey;
    this.#out = options.role === 'unit' ? directions.fromUnit : directions.fromBase;
    this.#in = options.role === 'unit' ? directions.fromBase : directions.fromUnit;
    this.#limits = options.limits ?? { maxPayload: MAX_UNIT_PAYLOAD };
  }

  /** Octets of an unfinished transmission. */
  get pending(): number {
    return this.#queue.length;
  }

  /** A transmission and its tag, to be written in one piece and in the order of the calls. */
  seal(transmission: Transmission): Uint8Array {
    const octets = encodeTransmission(transmission);
    const tag = tagOf(this.#crypto, this.#key, this.#out, this.#sent, octets);
    this.#sent += 1n;
    return concat(octets, tag);
  }

  /** What these octets complete. After `bad` nothing more comes. Payloads are views: copy what is kept. */
  *open(chunk: Uint8Array): Generator<Received> {
    if (this.#ended) return;
    this.#queue.push(chunk);
    try {
      for (;;) {
        const octets = this.#queue.peek();
        const result = decodeTransmission(octets, this.#limits);
        if (result.kind === 'bad') {
          this.#ended = true;
          yield { kind: 'bad', error: result.error };
          return;
        }
        if (result.kind === 'more' || octets.length < result.used + TAG_OCTETS) break;
        const tag = octets.subarray(result.used, result.used + TAG_OCTETS);
        const wanted = tagOf(this.#crypto, this.#key, this.#in, this.#received, octets.subarray(0, result.used));
        if (!equalInConstantTime(tag, wanted)) {
          this.#ended = true;
          yield { kind: 'bad', error: new ProtocolError('tag-wrong', 'the tag of a transmission is wrong') };
          return;
        }
        this.#received += 1n;
        this.#queue.consume(result.used + TAG_OCTETS);
        yield { kind: 'transmission', transmission: result.value };
      }
    } finally {
      // Also when the caller reads no further: it goes on with the next call, an empty one too.
      this.#queue.settle();
    }
  }
}
