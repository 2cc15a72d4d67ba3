import type { Clock, Timer } from '../base/core/clock.js';
import type { Random } from '../base/core/random.js';
import type { Carrier, CarrierSink } from '../base/links/carrier.js';
import { OctetQueue } from '../protocol/octet-queue.js';
import { concat } from '../protocol/octets.js';
import type { FaultSwitch } from './fault.js';

/** A cut at a random moment falls within so many octets: in an opening, a hello, or among the first reports. */
const CUT_WITHIN_OCTETS = 512;
/** Garbage comes before one write in four, 1 to 16 octets of it. */
const GARBAGE_SHARE = 0.25;
const MAX_GARBAGE_OCTETS = 16;
/** What a slow unit has not written yet; more than its whole ring cannot be worth waiting for, and it is cut. */
export const MAX_SLOW_OCTETS = 64 * 1024;

/** A carrier with the faults of its unit: silence, cut, slow and garbage. Without a fault it passes everything through. */
export class FaultyCarrier implements Carrier {
  readonly #carrier: Carrier;
  readonly #faults: FaultSwitch;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #unheard: () => void;
  readonly #slow = new OctetQueue();
  #sink: CarrierSink | undefined;
  #pause: Timer | undefined;
  #isEnding = false;
  #isClosed = false;
  /** Octets were lost in silence: this connection can never go on. */
  #isDeaf = false;
  /** The cut that is counted down, and the octets that may still pass. */
  #cut: object | undefined;
  #octetsLeft = 0;

  constructor(options: {
    readonly carrier: Carrier;
    readonly faults: FaultSwitch;
    readonly clock: Clock;
    readonly random: Random;
  }) {
    this.#carrier = options.carrier;
    this.#faults = options.faults;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#unheard = options.faults.onChange(() => this.#changed());
  }

  get kind(): Carrier['kind'] {
    return this.#carrier.kind;
  }
  get remote(): string {
    return this.#carrier.remote;
  }
  get buffered(): number {
    return this.#carrier.buffered + this.#slow.length;
  }

  attach(sink: CarrierSink): void {
    this.#sink = sink;
    this.#carrier.attach({
      octets: (chunk) => this.#inbound(chunk),
      drained: () => sink.drained(),
      ended: () => {
        if (!this.#isSilent()) sink.ended();
      },
      closed: (error) => {
        this.#unheard();
        this.#pause?.cancel();
        this.#closed(error);
      },
    });
  }

  write(octets: Uint8Array): boolean {
    if (this.#isSilent()) return true;
    if (this.#faults.has('garbage') && this.#random.fraction() < GARBAGE_SHARE)
      this.#put(this.#random.octets(1 + Math.floor(this.#random.fraction() * MAX_GARBAGE_OCTETS)));
    return this.#put(octets);
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    return this.write(concat(...octets));
  }

  pause(): void {
    this.#carrier.pause();
  }

  resume(): void {
    this.#carrier.resume();
  }

  end(): void {
    if (this.#isSilent()) return;
    this.#isEnding = true;
    if (this.#slow.length === 0) this.#carrier.end();
  }

  destroy(): void {
    // A silent unit keeps its connection: the peer must not learn that it is over.
    if (this.#isSilent()) queueMicrotask(() => this.#closed(undefined));
    else this.#carrier.destroy();
  }

  #isSilent(): boolean {
    if (this.#faults.has('silence')) this.#isDeaf = true;
    return this.#isDeaf;
  }

  #changed(): void {
    if (this.#isDeaf && !this.#faults.has('silence')) this.#carrier.destroy();
  }

  #inbound(chunk: Uint8Array): void {
    if (this.#isSilent()) return;
    const passed = this.#passing(chunk);
    if (this.#faults.has('slow')) {
      for (let at = 0; at < passed.length; at += 1) this.#sink?.octets(passed.subarray(at, at + 1));
    } else this.#sink?.octets(passed);
    if (passed.length < chunk.length) this.#carrier.destroy();
  }

  #put(octets: Uint8Array): boolean {
    const isSlow = this.#faults.has('slow') || this.#slow.length > 0;
    if (!isSlow) return this.#pass(octets);
    if (this.#slow.length + octets.length > MAX_SLOW_OCTETS) {
      this.#carrier.destroy();
      return false;
    }
    this.#slow.push(octets);
    if (this.#pause === undefined) this.#trickle();
    return false;
  }

  #trickle(): void {
    this.#pause = undefined;
    const everyMs = this.#faults.get('slow')?.everyMs;
    const count = everyMs === undefined ? this.#slow.length : 1;
    if (this.#isClosed || this.#isSilent()) return this.#slow.consume(this.#slow.length);
    if (count > 0 && this.#slow.length > 0) {
      this.#pass(this.#slow.peek().slice(0, count));
      this.#slow.consume(count);
    }
    if (this.#slow.length > 0) this.#pause = this.#clock.after(everyMs ?? 0, () => this.#trickle());
    else if (this.#isEnding) this.#carrier.end();
  }

  #pass(octets: Uint8Array): boolean {
    const passed = this.#passing(octets);
    const isRoom = passed.length > 0 && this.#carrier.write(passed);
    if (passed.length < octets.length) this.#carrier.destroy();
    return isRoom;
  }

  /** What of these octets comes before the cut. */
  #passing(octets: Uint8Array): Uint8Array {
    const cut = this.#faults.get('cut');
    if (cut === undefined) return octets;
    if (this.#cut !== cut) {
      this.#cut = cut;
      this.#octetsLeft = cut.afterOctets ?? 1 + Math.floor(this.#random.fraction() * CUT_WITHIN_OCTETS);
    }
    const passed = octets.subarray(0, this.#octetsLeft);
    this.#octetsLeft -= passed.length;
    return passed;
  }

  #closed(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sink?.closed(error);
  }
}
