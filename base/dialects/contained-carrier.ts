import { InternalError, LinkError } from '../../protocol/errors.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Carrier, CarrierSink } from '../links/carrier.js';
import type { ConnectionBounds } from './handler.js';
import type { HandlerFaults } from './handler-faults.js';

/** Octets that a peer does not take: past this it is cut (reference/limits.md, "Per-link write buffer"). */
export const MAX_UNTAKEN_OCTETS = 256 * 1024;
/** A peer that takes nothing for so long is cut as well (the same). */
export const MAX_STALLED_MS = 30_000;

export interface ContainedCarrierOptions {
  readonly carrier: Carrier;
  readonly faults: HandlerFaults;
  readonly clock: Clock;
  /** Nothing more comes of it. May be called twice. */
  readonly over?: (carrier: ContainedCarrier) => void;
  /** Default: as above. */
  readonly bounds?: Partial<Pick<ConnectionBounds, 'untakenOctets' | 'stalledMs'>> | undefined;
}

/**
 * The carrier that a handler is given. What its sink throws, or rejects with, cuts this one connection and harms no other.
 * A peer that does not take what is written to it is cut, whether or not the handler heeds what `write` returns. It is its
 * own sink below, so that a connection costs one object more.
 */
export class ContainedCarrier implements Carrier, CarrierSink {
  readonly #options: ContainedCarrierOptions;
  #sink: CarrierSink | undefined;
  #stall: Timer | undefined;
  #error: Error | undefined;
  #writtenOctets = 0;
  #isOver = false;

  constructor(options: ContainedCarrierOptions) {
    this.#options = options;
  }

  get kind(): Carrier['kind'] {
    return this.#options.carrier.kind;
  }

  get remote(): string {
    return this.#options.carrier.remote;
  }

  get buffered(): number {
    return this.#options.carrier.buffered;
  }

  attach(sink: CarrierSink): void {
    if (this.#sink !== undefined) throw new InternalError('internal', 'a carrier is attached once');
    this.#sink = sink;
    this.#options.carrier.attach(this);
  }

  write(octets: Uint8Array): boolean {
    this.#writtenOctets += octets.length;
    return this.#options.carrier.write(octets) || this.#untaken();
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    for (const each of octets) this.#writtenOctets += each.length;
    return this.#options.carrier.writeAll(octets) || this.#untaken();
  }

  pause(): void {
    this.#options.carrier.pause();
  }

  resume(): void {
    this.#options.carrier.resume();
  }

  end(): void {
    this.#options.carrier.end();
  }

  destroy(): void {
    this.#ended();
    this.#options.carrier.destroy();
  }

  // What the carrier below says.

  octets(chunk: Uint8Array): void {
    this.#tell('octets', () => this.#sink?.octets(chunk));
  }

  drained(): void {
    this.#stall?.cancel();
    this.#stall = undefined;
    this.#tell('drained', () => this.#sink?.drained());
  }

  ended(): void {
    this.#tell('ended', () => this.#sink?.ended());
  }

  closed(error?: Error): void {
    this.#ended();
    const why = this.#error ?? error;
    this.#options.faults.contain('closed', () => this.#sink?.closed(why));
  }

  /** It does not take all of it at once: cut when it is too much, or takes nothing for too long. Gives false. */
  #untaken(): boolean {
    const { carrier, bounds } = this.#options;
    const { buffered } = carrier;
    if (this.#isOver || buffered === 0) return false;
    if (buffered > (bounds?.untakenOctets ?? MAX_UNTAKEN_OCTETS)) this.#cut(stalled());
    else if (this.#stall === undefined) this.#watch(this.#takenOctets);
    return false;
  }

  /** Looks, as often as it may be stalled, whether it has taken anything: a slow peer is not a stalled one. */
  #watch(before: number): void {
    const { clock, bounds } = this.#options;
    this.#stall = clock.after(bounds?.stalledMs ?? MAX_STALLED_MS, () => {
      const taken = this.#takenOctets;
      if (taken === before) return this.#cut(stalled());
      this.#watch(taken);
    });
  }

  get #takenOctets(): number {
    return this.#writtenOctets - this.#options.carrier.buffered;
  }

  /** Once it was cut nothing is told any more but that it is closed. */
  #tell(what: string, call: () => unknown): void {
    if (this.#error !== undefined) return;
    this.#options.faults.contain(what, call, () =>
      this.#cut(new InternalError('internal', `the handler failed in ${what}`)),
    );
  }

  #cut(error: Error): void {
    this.#error ??= error;
    this.destroy();
  }

  #ended(): void {
    this.#stall?.cancel();
    this.#stall = undefined;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.over?.(this);
  }
}

const stalled = (): LinkError => new LinkError('link-stalled', 'the peer does not take what is sent to it');
