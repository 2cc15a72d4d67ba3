import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Datagram, decodeDatagram, encodeDatagram } from '../../protocol/iotsocket/datagram.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { asJson, type Vector, vectorsOf } from './stream-vectors.js';

interface InJson {
  readonly token: string;
  readonly payload: { readonly format: number; readonly options: number; readonly data: string };
}

const fromJson = ({ token, payload }: InJson): Datagram => ({
  token: fromHex(token),
  payload: { ...payload, data: fromHex(payload.data) },
});

const vectors = vectorsOf<Vector & { readonly value?: InJson }>('iotsocket-datagrams.json');

describe.each(vectors.filter(({ error }) => error === undefined))('datagram: $name ($source)', ({ hex, value }) => {
  test('both ways', () => {
    expect(asJson(decodeDatagram(fromHex(hex)))).toEqual(value);
    expect(toHex(encodeDatagram(fromJson(value!)))).toBe(hex);
  });

  test('cut at every octet, or with one more, it is none', () => {
    const octets = fromHex(hex);
    for (let end = 0; end < octets.length; end += 1) expect(decodeDatagram(octets.subarray(0, end))).toBeUndefined();
    expect(decodeDatagram(concat(octets, Uint8Array.of(0)))).toBeUndefined();
  });
});

test.each(vectors.filter(({ error }) => error !== undefined))('datagram: $name is none ($source)', ({ hex }) => {
  expect(decodeDatagram(fromHex(hex))).toBeUndefined();
});

const datagram: fc.Arbitrary<Datagram> = fc.record({
  token: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  payload: fc.record({
    format: fc.integer({ min: 0, max: 15 }),
    options: fc.integer({ min: 0, max: 15 }),
    data: fc.uint8Array({ maxLength: 300 }),
  }),
});

test('decoding what was encoded gives it back', () => {
  fc.assert(
    fc.property(datagram, (value) => {
      expect(asJson(decodeDatagram(encodeDatagram(value)))).toEqual(asJson(value));
    }),
  );
});

test('arbitrary octets are a datagram only when the length adds up', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
      const decoded = decodeDatagram(octets);
      if (decoded === undefined) return;
      expect(octets).toHaveLength(11 + decoded.payload.data.length);
      expect(toHex(encodeDatagram(decoded))).toBe(toHex(octets));
    }),
    { numRuns: 2_000 },
  );
});

test('the longest data has 65,535 octets, a token has 8', () => {
  const token = new Uint8Array(8);
  const longest = encodeDatagram({ token, payload: { format: 0, options: 0, data: new Uint8Array(65_535) } });
  expect(decodeDatagram(longest)?.payload.data).toHaveLength(65_535);
  const data = new Uint8Array(65_536);
  expect(() => encodeDatagram({ token, payload: { format: 0, options: 0, data } })).toThrow(RangeError);
  for (const length of [7, 9]) {
    const payload = { format: 0, options: 0, data: new Uint8Array(0) };
    expect(() => encodeDatagram({ token: new Uint8Array(length), payload })).toThrow(RangeError);
  }
});
