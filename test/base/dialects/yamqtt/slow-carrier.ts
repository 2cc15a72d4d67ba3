import { expect } from 'vitest';
import type { Carrier } from '../../../../base/links/carrier.js';
import { MESSAGE, shown } from './yamqtt-rig.js';

/** A carrier that takes nothing while `isStalled`, and says so past its high-water mark. */
export class SlowCarrier implements Carrier {
  readonly kind = 'tcp';
  readonly remote = '10.0.0.9:4000';
  buffered = 0;
  isStalled = false;
  isEnded = false;
  highWater = 16 * 1024;
  readonly writes: Buffer[] = [];
  /** Octets that what was written keeps in memory, while it is not taken. */
  keptOctets = 0;

  attach(): void {}
  write(octets: Uint8Array): boolean {
    this.writes.push(Buffer.from(octets));
    if (this.isStalled) {
      this.buffered += octets.length;
      this.keptOctets += octets.buffer.byteLength;
    }
    return octets.length < this.highWater && this.buffered < this.highWater;
  }
  writeAll(octets: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(octets));
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.isEnded = true;
  }
  destroy(): void {}

  /** All that was written, message after message; from now on nothing was. */
  take(): string[] {
    const all = Buffer.concat(this.writes.splice(0));
    expect(all.length % MESSAGE).toBe(0);
    return Array.from({ length: all.length / MESSAGE }, (_, at) =>
      shown(all.subarray(at * MESSAGE, (at + 1) * MESSAGE)),
    );
  }

  /** Messages in each write. */
  get sizes(): number[] {
    return this.writes.map(({ length }) => length / MESSAGE);
  }
}
