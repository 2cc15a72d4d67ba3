import { LinkError } from '../../../protocol/errors.js';
import { concat } from '../../../protocol/octets.js';
import { encodeFrames, RESET_FRAME } from '../../../protocol/serial/frame.js';
import { FrameReader } from '../../../protocol/serial/frame-reader.js';
import type { CarrierSink } from '../carrier.js';
import { PortCarrier } from './port-carrier.js';

/** A serial line of 115 200 bit/s takes more than a second for it. */
const HIGH_WATER_OCTETS = 16 * 1_024;
/** A session begins with an initiation of so many octets (wire/iotsocket.md); what it is answered with a tag has more. */
const INITIATION_OCTETS = 4;
/** Ends what was on the line before, so that it is not taken for the begin of a frame. */
const END = Uint8Array.of(0);

/**
 * The stream of a session over a serial line, in frames with checksums (wire/unit.md, "Serial"). At its begin a reset makes
 * the unit forget what was and begin anew; until its initiation everything else is noise (boot messages, log lines, what it
 * had said to a base that is gone). From then on a wrong checksum, or a reset by the unit, ends the carrier.
 */
export class FramedCarrier extends PortCarrier {
  protected readonly goodbye = RESET_FRAME;
  protected readonly highWaterOctets = HIGH_WATER_OCTETS;
  readonly #reader = new FrameReader();
  /** What the unit has said so far: nothing, its first words only, or more. */
  #said: 'nothing' | 'first' | 'more' = 'nothing';
  #first = '';
  #held: Promise<void> | undefined;
  #letGo: (() => void) | undefined;

  /** The system keeps what comes meanwhile; when that is too much, a frame is cut and its checksum tells it. */
  pause(): void {
    this.#held ??= new Promise((resolve) => {
      this.#letGo = resolve;
    });
  }

  resume(): void {
    this.#letGo?.();
    this.#held = undefined;
  }

  protected begin(): void {
    this.send(concat(END, RESET_FRAME));
  }

  protected encode(octets: Uint8Array): Uint8Array {
    return encodeFrames(octets);
  }

  protected async mayRead(): Promise<void> {
    await this.#held;
  }

  protected async roomAgain(): Promise<void> {}

  protected received(octets: Uint8Array, sink: CarrierSink): void {
    for (const frame of this.#reader.push(octets)) {
      if (this.isEnding) return;
      if (frame.kind === 'chunk') this.#chunk(frame.octets, sink);
      else if (frame.kind === 'bad' && this.#said !== 'nothing') this.fail(frame.error);
      else if (frame.kind === 'reset' && this.#said === 'more')
        this.fail(new LinkError('link-lost', 'the unit began anew'));
    }
  }

  /** Without an answer the unit begins again, with the same words; what it was answered meanwhile fits either. */
  #chunk(octets: Uint8Array, sink: CarrierSink): void {
    if (this.#said === 'nothing' && octets.length !== INITIATION_OCTETS) return;
    if (this.#said === 'first' && String(octets) === this.#first) return;
    this.#said = this.#said === 'nothing' ? 'first' : 'more';
    if (this.#said === 'first') this.#first = String(octets);
    sink.octets(octets);
  }
}
