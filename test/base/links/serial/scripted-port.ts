import { type Deferred, deferred } from '../../../../base/core/deferred.js';
import type { SerialPort } from '../../../../base/links/serial/serial-port.js';
import { concat } from '../../../../protocol/octets.js';
import { settle } from '../../../support/manual-clock.js';

/** A port of which the test says when something comes, and when it breaks. */
export class ScriptedPort implements SerialPort {
  written: Uint8Array = new Uint8Array(0);
  #next: Deferred<Buffer> = deferred();

  async says(octets: Uint8Array | string): Promise<void> {
    await settle();
    this.#next.resolve(Buffer.from(octets as Uint8Array));
    await settle();
  }

  async breaks(): Promise<void> {
    this.#next.reject(new Error('EIO: i/o error, read'));
    await settle();
  }

  async read(buffer: Buffer, offset: number): Promise<{ bytesRead: number }> {
    const octets = await this.#next.promise;
    this.#next = deferred();
    return { bytesRead: octets.copy(buffer, offset) };
  }

  async write(octets: Buffer): Promise<void> {
    this.written = concat(this.written, octets);
  }

  take(): Uint8Array {
    const { written } = this;
    this.written = new Uint8Array(0);
    return written;
  }

  async drain(): Promise<void> {}
  async flush(): Promise<void> {}
  async set(): Promise<void> {}
  async close(): Promise<void> {}
}
