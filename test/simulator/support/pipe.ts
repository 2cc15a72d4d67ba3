import type { Carrier, CarrierSink } from '../../../base/links/carrier.js';
import { concat } from '../../../protocol/octets.js';

/** Sees what one end writes, and says what the other end gets. */
export type Tap = (from: 'unit' | 'base', octets: Uint8Array) => Uint8Array;

/** Two carriers joined in memory: no sockets, and every octet passes the tap. */
export function pipe(tap: Tap = (_, octets) => octets): { readonly unit: PipeEnd; readonly base: PipeEnd } {
  const unit = new PipeEnd((octets) => tap('unit', octets));
  const base = new PipeEnd((octets) => tap('base', octets));
  unit.peer = base;
  base.peer = unit;
  return { unit, base };
}

export class PipeEnd implements Carrier {
  readonly kind = 'tcp';
  readonly remote = 'pipe:0';
  readonly buffered = 0;
  peer!: PipeEnd;
  isClosed = false;
  readonly #tap: (octets: Uint8Array) => Uint8Array;
  #sink: CarrierSink | undefined;
  #isEnded = false;
  isPaused = false;
  readonly #waiting: ((sink: CarrierSink) => void)[] = [];

  constructor(tap: (octets: Uint8Array) => Uint8Array) {
    this.#tap = tap;
  }

  attach(sink: CarrierSink): void {
    this.#sink = sink;
    this.resume();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    const sink = this.#sink;
    if (sink !== undefined) for (const event of this.#waiting.splice(0)) this.#tell(event);
  }

  write(octets: Uint8Array): boolean {
    if (this.isClosed || this.#isEnded) return false;
    const passed = this.#tap(octets).slice();
    if (passed.length > 0) this.peer.#tell((sink) => sink.octets(passed));
    return true;
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    return this.write(concat(...octets));
  }

  end(): void {
    if (this.#isEnded || this.isClosed) return;
    this.#isEnded = true;
    this.peer.#tell((sink) => sink.ended());
    if (this.peer.#isEnded) this.#close();
  }

  destroy(): void {
    if (!this.isClosed) this.#close();
  }

  #close(): void {
    for (const end of [this, this.peer]) {
      if (end.isClosed) continue;
      end.isClosed = true;
      end.#tell((sink) => sink.closed());
    }
  }

  #tell(event: (sink: CarrierSink) => void): void {
    if (this.#sink === undefined || this.isPaused) this.#waiting.push(event);
    else {
      const sink = this.#sink;
      queueMicrotask(() => {
        if (this.isPaused) this.#waiting.push(event);
        else event(sink);
      });
    }
  }
}
