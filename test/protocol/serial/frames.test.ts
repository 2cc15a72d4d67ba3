import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import { decodeCobs, encodeCobs } from '../../../protocol/serial/cobs.js';
import { crc16 } from '../../../protocol/serial/crc16.js';
import {
  encodeFrame,
  encodeFrames,
  MAX_CHUNK_OCTETS,
  MAX_ENCODED_OCTETS,
  RESET_FRAME,
} from '../../../protocol/serial/frame.js';
import { FrameReader } from '../../../protocol/serial/frame-reader.js';
import { serialVectors } from './serial-vectors.js';

const { crc, frames } = serialVectors;
const sound = frames.filter(({ value }) => value !== undefined);
const refused = frames.filter(({ value }) => value === undefined);

/** What a reader makes of octets, as text: hexadecimal digits of chunks, `reset`, or the code of what is refused. */
function read(octets: Uint8Array, reader = new FrameReader()): string[] {
  return [...reader.push(octets)].map((frame) =>
    frame.kind === 'chunk' ? toHex(frame.octets) : frame.kind === 'reset' ? 'reset' : frame.error.code,
  );
}

const said = (chunk: string): string => (chunk === '' ? 'reset' : chunk);

test.each(crc)('CRC-16 of $text is $crc ($source)', (vector) => {
  expect(crc16(new TextEncoder().encode(vector.text)).toString(16)).toBe(vector.crc);
});

describe.each(sound)('frame: $name ($source)', ({ hex, value }) => {
  const octets = fromHex(hex);
  const chunk = value!.chunk;

  test('encodes and decodes', () => {
    expect(toHex(encodeFrame(fromHex(chunk)))).toBe(hex);
    expect(read(octets)).toEqual([said(chunk)]);
  });

  test('one octet at a time it comes once, at the 00', () => {
    const reader = new FrameReader();
    octets.forEach((octet, index) => {
      expect(read(Uint8Array.of(octet), reader)).toEqual(index === octets.length - 1 ? [said(chunk)] : []);
    });
    expect(reader.pending).toBe(0);
  });

  test('cut at every octet nothing comes, and the next frame behind a 00 does', () => {
    for (let end = 0; end < octets.length; end += 1) {
      const reader = new FrameReader();
      expect(read(octets.subarray(0, end), reader)).toEqual([]);
      expect(read(concat(Uint8Array.of(0), octets), reader).at(-1)).toBe(said(chunk));
    }
  });

  test('behind noise that ends in 00 it comes', () => {
    expect(read(concat(fromHex('492072656164790d0a00'), octets))).toEqual(['frame-malformed', said(chunk)]);
  });
});

test.each(refused)('frame: $name gives no chunk ($source)', ({ hex, ignored = false }) => {
  const heard = read(fromHex(hex));
  expect(heard.filter((one) => !one.startsWith('frame-'))).toEqual([]);
  expect(heard.length).toBe(ignored ? 0 : 1);
});

test('a chunk of 240 octets fits, one of 241 does not; a stream is cut into as few as hold it', () => {
  expect(encodeFrame(new Uint8Array(MAX_CHUNK_OCTETS).fill(1))).toHaveLength(MAX_ENCODED_OCTETS + 1);
  expect(() => encodeFrame(new Uint8Array(MAX_CHUNK_OCTETS + 1))).toThrow(RangeError);
  const stream = Uint8Array.from({ length: 2 * MAX_CHUNK_OCTETS + 1 }, (_, at) => at & 0xff);
  const chunks = read(encodeFrames(stream));
  expect(chunks.map((chunk) => chunk.length / 2)).toEqual([MAX_CHUNK_OCTETS, MAX_CHUNK_OCTETS, 1]);
  expect(chunks.join('')).toBe(toHex(stream));
  expect(encodeFrames(new Uint8Array(0))).toHaveLength(0);
  expect(toHex(RESET_FRAME)).toBe('03ffff00');
});

test('of noise without an end it keeps no more than a frame, says so once, and reads on behind its 00', () => {
  const reader = new FrameReader();
  expect(read(new Uint8Array(MAX_ENCODED_OCTETS).fill(7), reader)).toEqual([]);
  expect(reader.pending).toBe(MAX_ENCODED_OCTETS);
  expect(read(Uint8Array.of(7), reader)).toEqual(['frame-too-long']);
  expect(read(new Uint8Array(100_000).fill(7), reader)).toEqual([]);
  expect(reader.pending).toBe(MAX_ENCODED_OCTETS);
  expect(read(concat(Uint8Array.of(0), RESET_FRAME), reader)).toEqual(['reset']);
});

test('COBS: any octets come back, none of them 00 on the way, at most one more for each 254', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_200 }), (octets) => {
      const encoded = encodeCobs(octets);
      expect(encoded.includes(0)).toBe(false);
      expect(encoded.length).toBeLessThanOrEqual(octets.length + Math.floor(octets.length / 254) + 1);
      expect(toHex(decodeCobs(encoded)!)).toBe(toHex(octets));
    }),
  );
});

test('any octets in any pieces never throw and never keep more than a frame', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), (pieces) => {
      const reader = new FrameReader();
      for (const piece of pieces) {
        read(piece, reader);
        expect(reader.pending).toBeLessThanOrEqual(MAX_ENCODED_OCTETS);
      }
    }),
  );
});

test('frames with one octet of them changed, lost, or doubled never give another chunk than was sent', () => {
  // CRC-16 lets one of 65 536 wrong frames pass, so the inputs are always the same.
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: MAX_CHUNK_OCTETS }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.constantFrom('changed', 'lost', 'doubled'),
      fc.integer({ min: 1, max: 255 }),
      (chunks, place, fault, mask) => {
        const octets = [...concat(...chunks.map(encodeFrame))];
        const at = place % octets.length;
        if (fault === 'changed') octets[at]! ^= mask;
        else octets.splice(at, fault === 'lost' ? 1 : 0, ...(fault === 'lost' ? [] : [octets[at]!]));
        const sent = new Set(chunks.map(toHex));
        for (const heard of read(Uint8Array.from(octets)))
          expect(heard === 'frame-malformed' || heard === 'frame-too-long' || sent.has(heard)).toBe(true);
      },
    ),
    { seed: 20_261_126, numRuns: 2_000 },
  );
});
