import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeInitiation,
  decodeInitiationAnswer,
  encodeInitiation,
  encodeInitiationAnswer,
  type Initiation,
  type InitiationAnswer,
} from '../../protocol/iotsocket/opening-frames.js';
import { MAX_UNIT_PAYLOAD } from '../../protocol/iotsocket/sealed-stream.js';
import { decodeTransmission, encodeTransmission, type Transmission } from '../../protocol/iotsocket/transmission.js';
import { decodeUid, encodeUid } from '../../protocol/iotsocket/uid.js';
import { fromHex, toHex } from '../../protocol/octets.js';
import { describeStream, type Vector, vectorsOf } from './stream-vectors.js';

const limits = { maxPayload: MAX_UNIT_PAYLOAD };
const openings = vectorsOf<Vector & { readonly frame: string }>('iotsocket-opening.json');

describeStream<Initiation>(
  'initiation',
  openings.filter(({ frame }) => frame === 'initiation'),
  { decode: decodeInitiation, encode: encodeInitiation, fromJson: (value) => value as Initiation },
  '01030000',
);

describeStream<InitiationAnswer>(
  'answer to the initiation',
  openings.filter(({ frame }) => frame === 'answer'),
  { decode: decodeInitiationAnswer, encode: encodeInitiationAnswer, fromJson: (value) => value as InitiationAnswer },
  '8002',
);

interface InJson {
  readonly payload?: { readonly data: string };
  readonly token?: string;
}

/** A transmission from its JSON form: octets stand there as hexadecimal digits. */
function fromJson(value: unknown): Transmission {
  const { payload, token } = value as InJson;
  return {
    ...(value as object),
    ...(payload && { payload: { ...payload, data: fromHex(payload.data) } }),
    ...(token !== undefined && { token: fromHex(token) }),
  } as Transmission;
}

describeStream<Transmission>(
  'transmission',
  vectorsOf('iotsocket-transmissions.json'),
  { decode: (octets) => decodeTransmission(octets, limits), encode: encodeTransmission, fromJson },
  '10',
);

const octets = (maxLength: number) => fc.uint8Array({ maxLength });
const uid = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 16 })
  .filter((text) => !text.startsWith('\0') && !text.includes('\0') && new TextEncoder().encode(text).length <= 16);
const payload = fc.record({
  format: fc.integer({ min: 0, max: 15 }),
  options: fc.integer({ min: 0, max: 15 }),
  data: octets(80),
});
const tracking = fc.integer({ min: 0, max: 0xffff });
const code = fc.integer({ min: 0, max: 0xff });
const maybeUid = fc.option(uid, { nil: undefined }).map((name) => (name === undefined ? {} : { uid: name }));
const transmission: fc.Arbitrary<Transmission> = fc.oneof(
  fc.constantFrom<Transmission>({ kind: 'ping' }, { kind: 'pong' }),
  fc.tuple(maybeUid, tracking, payload).map(([name, number, block]): Transmission => {
    return { kind: 'request', ...name, tracking: number, payload: block };
  }),
  fc.tuple(maybeUid, tracking, code, payload).map(([name, number, how, block]): Transmission => {
    return { kind: 'response', ...name, tracking: number, code: how, payload: block };
  }),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((token): Transmission => ({ kind: 'telemetryToken', token })),
  fc.tuple(uid, payload).map(([name, block]): Transmission => {
    return { kind: 'identifiedTelemetry', uid: name, payload: block };
  }),
  code.map((how): Transmission => ({ kind: 'close', code: how })),
);

describe('whatever the transmission', () => {
  test('decoding what was encoded gives it back', () => {
    fc.assert(
      fc.property(transmission, (value) => {
        const encoded = encodeTransmission(value);
        expect(decodeTransmission(encoded, limits)).toEqual({ kind: 'frame', used: encoded.length, value });
      }),
      { numRuns: 1_000 },
    );
  });

  test('arbitrary octets never throw, use at least one and at most all of them, or want a bounded number more', () => {
    const most = 1 + 16 + 3 + 3 + MAX_UNIT_PAYLOAD;
    fc.assert(
      fc.property(octets(64), (some) => {
        const result = decodeTransmission(some, limits);
        if (result.kind === 'frame') {
          expect(result.used).toBeGreaterThan(0);
          expect(result.used).toBeLessThanOrEqual(some.length);
        } else if (result.kind === 'more') {
          expect(result.needed).toBeGreaterThan(some.length);
          expect(result.needed).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('the payload bound is the caller’s: one octet longer is refused before it has arrived', () => {
    const head = (length: number) => Uint8Array.of(0x30, 0, 1, 0, length >> 8, length & 0xff);
    expect(decodeTransmission(head(10), { maxPayload: 10 })).toEqual({ kind: 'more', needed: 16 });
    expect(decodeTransmission(head(11), { maxPayload: 10 })).toMatchObject({ error: { code: 'frame-too-long' } });
    expect(decodeTransmission(head(65_535), { maxPayload: 65_535 })).toEqual({ kind: 'more', needed: 65_541 });
  });
});

describe('a UID', () => {
  test('is padded on the left to 16 octets, and longer ones are refused', () => {
    expect(toHex(encodeUid('ObjTest'))).toBe('0000000000000000004f626a54657374');
    expect(toHex(encodeUid('é'.repeat(8)))).toBe('c3a9'.repeat(8));
    expect(() => encodeUid('x'.repeat(17))).toThrow(RangeError);
    expect(() => encodeUid(`${'é'.repeat(8)}x`)).toThrow(RangeError);
  });

  test('decodes to what was encoded; zeros are the central', () => {
    fc.assert(
      fc.property(uid, (name) => {
        expect(decodeUid(encodeUid(name))).toBe(name);
      }),
    );
    expect(decodeUid(new Uint8Array(16))).toBe('');
  });
});
