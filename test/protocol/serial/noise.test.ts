import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SealedStream } from '../../../protocol/iotsocket/sealed-stream.js';
import { emptyTypedPayload } from '../../../protocol/iotsocket/transmission.js';
import { concat, toHex } from '../../../protocol/octets.js';
import { encodeFrames } from '../../../protocol/serial/frame.js';
import { FrameReader } from '../../../protocol/serial/frame-reader.js';
import { countingCrypto } from '../crypto.js';

const sessionKey = new Uint8Array(32).fill(0x4b);
const streamOf = (role: 'unit' | 'base') => new SealedStream({ crypto: countingCrypto(0), sessionKey, role });

/** One fault of a line, at a place of it. */
const fault = fc.record({
  place: fc.nat(),
  kind: fc.constantFrom('bit', 'octet', 'lost', 'doubled', 'burst', 'zero', 'text'),
  value: fc.integer({ min: 1, max: 255 }),
});

function damaged(octets: readonly number[], { place, kind, value }: { place: number; kind: string; value: number }) {
  const at = place % octets.length;
  const [before, after] = [octets.slice(0, at), octets.slice(at + 1)];
  const octet = octets[at]!;
  switch (kind) {
    case 'bit':
      return [...before, octet ^ (1 << (value % 8)), ...after];
    case 'octet':
      return [...before, value, ...after];
    case 'lost':
      return [...before, ...after.slice(value % 12)];
    case 'doubled':
      return [...before, ...octets.slice(at, at + value), octet, ...after];
    case 'burst':
      return [...before, ...Array.from({ length: value }, (_, index) => (value * (index + 1)) & 0xff), ...after];
    case 'zero':
      return [...before, 0, octet, ...after];
    default:
      return [...before, ...new TextEncoder().encode('I (77) wifi: lost\r\n'), octet, ...after];
  }
}

test('of readings sent over a noisy line those that come are what was sent, in order, and none is another', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 6 }),
      fc.array(fault, { minLength: 1, maxLength: 4 }),
      (readings, faults) => {
        const unit = streamOf('unit');
        const sent = readings.map((data, tracking) =>
          encodeFrames(unit.seal({ kind: 'request', tracking, payload: { ...emptyTypedPayload, data } })),
        );
        const line = Uint8Array.from(faults.reduce(damaged, [...concat(...sent)]));
        const base = streamOf('base');
        const heard: string[] = [];
        read: for (const frame of new FrameReader().push(line)) {
          if (frame.kind !== 'chunk') break;
          for (const received of base.open(frame.octets)) {
            if (received.kind === 'bad') break read;
            if (received.transmission.kind === 'request') heard.push(toHex(received.transmission.payload.data));
          }
        }
        expect(heard).toEqual(readings.slice(0, heard.length).map(toHex));
      },
    ),
    { numRuns: 500 },
  );
});
