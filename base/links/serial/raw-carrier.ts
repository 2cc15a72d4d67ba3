import { concat } from '../../../protocol/octets.js';
import type { CarrierSink } from '../carrier.js';
import { PortCarrier } from './port-carrier.js';

const LF = 0x0a;
const CR = 0x0d;
const NOTHING = new Uint8Array(0);
/** An octet that no text of UTF-8 has, and a line's end: whatever line was begun has no value now. */
const CUT_LINE = Uint8Array.of(0xff, LF);

/**
 * The lines of a serial line unit, as they are. Nothing holds such a unit back, and nothing tells where octets are missing:
 * so what is left of a line at the begin, and behind every pause, is never passed on. `drained` says that all that was
 * written is on the line; nobody at its other end confirms more.
 */
export class RawCarrier extends PortCarrier {
  protected readonly goodbye = NOTHING;
  protected readonly highWaterOctets = 0;
  #isPaused = false;
  /** Until the next line's end nothing counts; then this goes first. */
  #cut: Uint8Array | undefined = NOTHING;
  /** A line ended in CR: an LF right behind it is the same end. */
  #isBehindCr = false;

  /** What comes until `resume` is lost. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#cut = CUT_LINE;
  }

  protected begin(): void {}

  protected encode(octets: Uint8Array): Uint8Array {
    return octets;
  }

  protected async mayRead(): Promise<void> {}

  protected roomAgain(): Promise<void> {
    return this.port.drain();
  }

  protected received(octets: Uint8Array, sink: CarrierSink): void {
    if (this.#isPaused) return;
    const cut = this.#cut;
    if (cut === undefined && !this.#isBehindCr) return sink.octets(octets);
    let at = 0;
    if (cut !== undefined) {
      const end = octets.findIndex((octet) => octet === LF || octet === CR);
      if (end === -1) return;
      this.#cut = undefined;
      this.#isBehindCr = octets[end] === CR;
      at = end + 1;
    }
    if (this.#isBehindCr && at < octets.length) {
      this.#isBehindCr = false;
      if (octets[at] === LF) at += 1;
    }
    sink.octets(concat(cut ?? NOTHING, octets.subarray(at)));
  }
}
