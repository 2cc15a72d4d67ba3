import type { OctetStream, StreamAddresses, StreamSink } from '../../../../clients/iotsocket/octet-stream.js';
import { fromHex, toHex } from '../../../../protocol/octets.js';

/** A connection in memory, whose other end the test is. */
export class MemoryStream implements OctetStream {
  readonly remote = '127.0.0.1:50505';
  readonly addresses: StreamAddresses = { local: '127.0.0.1', remote: '127.0.0.1' };
  /** Each write, as hexadecimal digits. */
  readonly writes: string[] = [];
  /** What the system has not taken. */
  unsent = 0;
  /** The system takes nothing more. */
  isStalled = false;
  isEnded = false;
  isDestroyed = false;
  isTls = false;
  #sink: StreamSink | undefined;

  get sink(): StreamSink {
    return this.#sink!;
  }

  attach(sink: StreamSink): void {
    this.#sink = sink;
  }

  write(octets: Uint8Array): boolean {
    this.writes.push(toHex(octets));
    if (!this.isStalled) return true;
    this.unsent += octets.length;
    return false;
  }

  startTls(): void {
    this.isTls = true;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(error?: Error): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.sink.closed(error);
  }

  /** The concentrator sends this. */
  push(hex: string): void {
    this.sink.octets(fromHex(hex));
  }

  /** The system takes all that waited. */
  drain(): void {
    this.isStalled = false;
    this.unsent = 0;
    this.sink.drained();
  }
}
