import { InternalError, LinkError } from '../../protocol/errors.js';
import type { Clock, Timer } from '../core/clock.js';
import type { Carrier, CarrierSink } from '../links/carrier.js';
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
    const { carrier, clock } = this.#options;
    const isTaken = carrier.write(octets);
    if (isTaken || this.#isOver) return isTaken;
    if (carrier.buffered > MAX_UNTAKEN_OCTETS) this.#cut(stalled());
    else if (carrier.buffered > 0) this.#stall ??= clock.after(MAX_STALLED_MS, () => this.#cut(stalled()));
    return false;
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
