import type { Carrier, CarrierSink } from '../../../base/links/carrier.js';
import { concat } from '../../../protocol/octets.js';

/** The peer's end of a {@link MemoryCarrier}. */
export class PeerEnd {
  readonly #carrier: MemoryCarrier;
  /** All octets the base has written, until the test takes them. */
  octets: Uint8Array = new Uint8Array(0);
  /** The base has half-closed. */
  isEnded = false;
  isDestroyed = false;
  /** A peer that closes when the base has: what every sound one does. */
  closesToo = true;

  constructor(carrier: MemoryCarrier) {
    this.#carrier = carrier;
  }

  write(octets: Uint8Array): void {
    this.#carrier.fromPeer({ kind: 'octets', octets: octets.slice() });
  }

  end(): void {
    this.#carrier.fromPeer({ kind: 'ended' });
  }

  /** The connection breaks. */
  reset(message = 'ECONNRESET'): void {
    this.#carrier.fromPeer({ kind: 'reset', error: new Error(message) });
  }

  take(): Uint8Array {
    const { octets } = this;
    this.octets = new Uint8Array(0);
    return octets;
  }
}

type FromPeer =
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'ended' }
  | { readonly kind: 'reset'; readonly error: Error };

/** A carrier without a network: what the peer does arrives in the next turn, in order. */
export class MemoryCarrier implements Carrier {
  readonly kind = 'tcp';
  readonly remote: string;
  readonly peer: PeerEnd;
  /** The peer takes nothing: what is written stays here. */
  isStalled = false;
  buffered = 0;
  #sink: CarrierSink | undefined;
  #early: FromPeer[] = [];
  #isPaused = false;
  readonly #held: FromPeer[] = [];
  #hasPeerEnded = false;
  #isClosed = false;

  constructor(remote: string) {
    this.remote = remote;
    this.peer = new PeerEnd(this);
  }

  attach(sink: CarrierSink): void {
    this.#sink = sink;
    for (const event of this.#early.splice(0)) this.fromPeer(event);
  }

  write(octets: Uint8Array): boolean {
    if (this.#isClosed || this.peer.isEnded) return false;
    if (this.isStalled) this.buffered += octets.length;
    else this.peer.octets = concat(this.peer.octets, octets);
    return !this.isStalled;
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    return this.write(concat(...octets));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    for (const event of this.#held.splice(0)) this.fromPeer(event);
  }

  end(): void {
    if (this.peer.isEnded) return;
    this.peer.isEnded = true;
    if (this.#hasPeerEnded) this.#close();
    else if (this.peer.closesToo) this.peer.end();
  }

  destroy(): void {
    this.#close();
  }

  fromPeer(event: FromPeer): void {
    if (this.#sink === undefined) {
      this.#early.push(event);
      return;
    }
    queueMicrotask(() => this.#hear(event));
  }

  #hear(event: FromPeer): void {
    if (this.#isClosed) return;
    if (this.#isPaused && event.kind !== 'reset') {
      this.#held.push(event);
      return;
    }
    switch (event.kind) {
      case 'octets':
        return this.#sink!.octets(event.octets);
      case 'ended':
        this.#hasPeerEnded = true;
        this.#sink!.ended();
        if (this.peer.isEnded) this.#close();
        return;
      case 'reset':
        return this.#close(event.error);
    }
  }

  #close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.peer.isDestroyed = true;
    queueMicrotask(() => this.#sink?.closed(error));
  }
}
