import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../protocol/errors.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { decodeCommand, decodeReport, encodeCommand, encodeReport } from '../../protocol/unit/heads.js';
import {
  decodeDescribe,
  decodeDescribePiece,
  decodeHello,
  decodeHelloAnswer,
  decodeLog,
  decodeNextBoot,
  decodeRestart,
  encodeDescribe,
  encodeDescribePiece,
  encodeHello,
  encodeHelloAnswer,
  encodeLog,
  encodeNextBoot,
  encodeRestart,
  MAX_DESCRIBE_OCTETS,
} from '../../protocol/unit/system-messages.js';
import { asJson, type Vector, vectorsOf } from './stream-vectors.js';

const withFingerprint = (value: unknown) => ({
  ...(value as object),
  fingerprint: fromHex((value as { fingerprint: string }).fingerprint),
});

const codecs: Record<string, { decode(data: Uint8Array): unknown; encode(value: never): Uint8Array }> = {
  hello: { decode: decodeHello, encode: (value) => encodeHello(withFingerprint(value) as never) },
  helloAnswer: { decode: decodeHelloAnswer, encode: (value) => encodeHelloAnswer(withFingerprint(value) as never) },
  nextBoot: { decode: decodeNextBoot, encode: encodeNextBoot },
  describe: { decode: decodeDescribe, encode: encodeDescribe },
  restart: { decode: decodeRestart, encode: encodeRestart },
  log: { decode: decodeLog, encode: encodeLog },
};

interface MessageVector extends Vector {
  readonly message: string;
  /** Of an earlier revision: understood, and not sent any more. */
  readonly isDecodedOnly?: true;
}

const vectors = vectorsOf<MessageVector>('unit-messages.json');
const good = vectors.filter(({ error }) => error === undefined);

describe.each(good)('$name ($source)', ({ message, hex, value, isDecodedOnly }) => {
  const { decode, encode } = codecs[message]!;

  test(isDecodedOnly ? 'decodes' : 'decodes, encodes, and encodes again what was decoded', () => {
    expect(asJson(decode(fromHex(hex)))).toEqual(value);
    if (isDecodedOnly) return;
    expect(toHex(encode(value as never))).toBe(hex);
    expect(toHex(encode(asJson(decode(fromHex(hex))) as never))).toBe(hex);
  });

  test('cut at every octet, or with one left over, it is refused', () => {
    const octets = fromHex(hex);
    for (let end = 1; end < octets.length; end += 1)
      expect(() => decode(octets.subarray(0, end)), `cut at ${end}`).toThrow(ProtocolError);
    expect(() => decode(concat(octets, Uint8Array.of(0)))).toThrow(ProtocolError);
  });
});

test.each(vectors.filter(({ error }) => error !== undefined))(
  '$name is refused ($source)',
  ({ message, hex, error }) => {
    expect(() => codecs[message]!.decode(fromHex(hex))).toThrow(expect.objectContaining({ code: error }));
  },
);

describe('a descriptor in pieces', () => {
  const descriptor = Uint8Array.from({ length: 2 * MAX_DESCRIBE_OCTETS + 7 }, (_, index) => index & 0xff);

  test.each([
    [0, MAX_DESCRIBE_OCTETS],
    [MAX_DESCRIBE_OCTETS, MAX_DESCRIBE_OCTETS],
    [2 * MAX_DESCRIBE_OCTETS, 7],
    [descriptor.length, 0],
  ])('from %d come %d octets and the total', (offset, length) => {
    const piece = decodeDescribePiece(encodeDescribePiece(descriptor, offset));
    expect(piece.total).toBe(descriptor.length);
    expect(toHex(piece.octets)).toBe(toHex(descriptor.subarray(offset, offset + length)));
  });

  test('too short to say its total is refused', () => {
    expect(() => decodeDescribePiece(fromHex('7001'))).toThrow(ProtocolError);
  });
});

describe('the head of a report', () => {
  test('is number, sequence and age, little-endian, then the fields', () => {
    const octets = encodeReport({ number: 3, sequence: 0x01020304, ageMs: 0xffffffff, fields: Uint8Array.of(9) });
    expect(toHex(octets)).toBe('0304030201ffffffff09');
    expect(decodeReport(octets)).toEqual({
      number: 3,
      sequence: 0x01020304,
      ageMs: 0xffffffff,
      fields: Uint8Array.of(9),
    });
    for (let end = 0; end < 9; end += 1) expect(decodeReport(octets.subarray(0, end))).toBeUndefined();
  });
});

describe('the head of a command', () => {
  test('is number and id, little-endian, then the fields', () => {
    const octets = encodeCommand({ number: 1, id: 0xfffffffe, fields: Uint8Array.of(255, 136, 0) });
    expect(toHex(octets)).toBe('01feffffffff8800');
    expect(decodeCommand(octets)).toEqual({ number: 1, id: 0xfffffffe, fields: Uint8Array.of(255, 136, 0) });
    for (let end = 0; end < 5; end += 1) expect(decodeCommand(octets.subarray(0, end))).toBeUndefined();
  });
});

test('arbitrary octets are a message or a ProtocolError, never anything else', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.constantFrom(...Object.keys(codecs)),
      (data, name) => {
        try {
          codecs[name]!.decode(data);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});
