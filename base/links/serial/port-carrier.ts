import { stat } from 'node:fs/promises';
import { LinkError } from '../../../protocol/errors.js';
import type { Carrier, CarrierSink } from '../carrier.js';
import type { SerialPort } from './serial-port.js';

/** At most so many octets come at once: a fifth of a second at 115 200 bit/s. */
const READ_OCTETS = 2_048;

export interface PortCarrierOptions {
  readonly port: SerialPort;
  /** The address as people write it. */
  readonly remote: string;
  /** The port is closed, and can be opened again. */
  readonly closed: () => void;
}

/**
 * A serial port as a carrier. A serial line has no half-close: `end` writes what is left and a goodbye, then closes. What
 * comes and goes over the line is the heirs' to say: as it is, or in frames.
 */
export abstract class PortCarrier implements Carrier {
  readonly kind = 'serial';
  readonly remote: string;
  protected readonly port: SerialPort;
  readonly #closed: () => void;
  readonly #queue: Uint8Array[] = [];
  #buffered = 0;
  #isWriting = false;
  #isFull = false;
  #sink: CarrierSink | undefined;
  #ending: Error | 'in order' | undefined;
  /** Closing has begun: nothing more is read or written. */
  #isClosed = false;
  #hasClosed = false;

  constructor({ port, remote, closed }: PortCarrierOptions) {
    this.port = port;
    this.remote = remote;
    this.#closed = closed;
  }

  get buffered(): number {
    return this.#buffered;
  }

  attach(sink: CarrierSink): void {
    this.#sink = sink;
    if (this.#isClosed) {
      if (this.#hasClosed) queueMicrotask(() => sink.closed());
      return;
    }
    this.begin();
    void this.#read();
  }

  write(octets: Uint8Array): boolean {
    if (this.#ending !== undefined) return false;
    this.send(this.encode(octets));
    this.#isFull ||= this.#buffered >= this.highWaterOctets;
    return !this.#isFull;
  }

  writeAll(octets: readonly Uint8Array[]): boolean {
    return octets.map((each) => this.write(each)).every((isRoom) => isRoom);
  }

  abstract pause(): void;
  abstract resume(): void;

  end(): void {
    if (this.#ending !== undefined) return;
    this.#ending = 'in order';
    this.send(this.goodbye);
  }

  destroy(): void {
    this.#ending ??= 'in order';
    this.#queue.length = 0;
    void this.#close(() => this.port.flush());
  }

  /** What goes before everything else. */
  protected abstract begin(): void;
  /** Octets of the stream, as they go over the line. */
  protected abstract encode(octets: Uint8Array): Uint8Array;
  /** Octets from the line, the receiver's to keep. */
  protected abstract received(octets: Uint8Array, sink: CarrierSink): void;
  /** Resolves when the next octets may be read. */
  protected abstract mayRead(): Promise<void>;
  /** Resolves when there is room again, after the system has taken everything. */
  protected abstract roomAgain(): Promise<void>;
  protected abstract readonly goodbye: Uint8Array;
  /** `write` gives false from here on. */
  protected abstract readonly highWaterOctets: number;

  /** Nothing more of the stream: tells the other side, with whatever else was to go first thrown away, and closes. */
  protected fail(error: Error): void {
    if (this.#ending instanceof Error) return;
    this.#ending = error;
    this.#queue.length = 0;
    this.send(this.goodbye);
  }

  protected get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  protected send(octets: Uint8Array): void {
    this.#queue.push(octets);
    this.#buffered += octets.length;
    if (!this.#isWriting) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    while (this.#queue.length > 0 && !this.#isClosed) {
      const octets = Buffer.concat(this.#queue.splice(0));
      try {
        await this.port.write(octets);
      } catch (error) {
        return this.#lost(error as Error);
      }
      this.#buffered = this.#queue.reduce((sum, { length }) => sum + length, 0);
    }
    this.#isWriting = false;
    if (this.#ending !== undefined) return this.#close();
    if (this.#isFull) await this.#drain();
  }

  async #drain(): Promise<void> {
    await this.roomAgain().catch((error: Error) => this.#lost(error));
    if (this.#isWriting || this.#isClosed || !this.#isFull) return;
    this.#isFull = false;
    this.#sink?.drained();
  }

  async #read(): Promise<void> {
    const buffer = Buffer.alloc(READ_OCTETS);
    try {
      for (;;) {
        await this.mayRead();
        const { bytesRead } = await this.port.read(buffer, 0, buffer.length);
        if (this.#isClosed) return;
        if (!this.isEnding) this.received(Uint8Array.from(buffer.subarray(0, bytesRead)), this.#sink!);
      }
    } catch (error) {
      this.#lost(error as Error);
    }
  }

  /** The port is gone: unplugged, or closed by us, which then is told already. */
  #lost(error: Error): void {
    if (this.#isClosed) return;
    if (!(this.#ending instanceof Error))
      this.#ending = new LinkError('link-lost', `the serial port is gone: ${error.message}`, { cause: error });
    this.#queue.length = 0;
    void this.#close();
  }

  async #close(before: () => Promise<void> = async () => {}): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await before().catch(() => {});
    // A read that waits for its turn in another thread must not find its number given to another file.
    await stat('/').catch(() => {});
    await this.port.close().catch(() => {});
    this.#hasClosed = true;
    this.#closed();
    const ending = this.#ending;
    this.#sink?.closed(ending instanceof Error ? ending : undefined);
  }
}
