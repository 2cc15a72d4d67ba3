import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OctetQueue } from '../../protocol/octet-queue.js';
import { Cursor, concat, equalInConstantTime, fromHex, OctetWriter, PastTheEnd, toHex } from '../../protocol/octets.js';

describe('hexadecimal digits', () => {
  test('there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        expect(fromHex(toHex(octets))).toEqual(Uint8Array.from(octets));
      }),
    );
    expect(fromHex('0A ff\n00')).toEqual(Uint8Array.of(10, 255, 0));
  });

  test.each(['0', '0g', 'abc', '0x10', '-1'])('%s is refused', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });
});

describe('a cursor', () => {
  test('reads little-endian, or big-endian where it is told so', () => {
    const octets = fromHex('0102030405060708');
    expect(new Cursor(octets).u16()).toBe(0x0201);
    expect(new Cursor(octets).u16(false)).toBe(0x0102);
    expect(new Cursor(octets).u32()).toBe(0x04030201);
    expect(new Cursor(octets).u64(false)).toBe(0x0102030405060708n);
    expect(new Cursor(fromHex('ff')).i8()).toBe(-1);
    expect(new Cursor(fromHex('feff')).i16()).toBe(-2);
    expect(new Cursor(fromHex('fdffffff')).i32()).toBe(-3);
  });

  test('reads where a view begins, not where its buffer does', () => {
    expect(new Cursor(fromHex('00000102').subarray(2)).u16()).toBe(0x0201);
  });

  test.each(['u8', 'u16', 'u32', 'i8', 'i16', 'i32', 'f32', 'u64'] as const)(
    '%s past the end throws and moves nothing',
    (read) => {
      const cursor = new Cursor(new Uint8Array(0));
      expect(() => cursor[read]()).toThrow(PastTheEnd);
      expect(cursor.at).toBe(0);
      expect(() => cursor.take(1)).toThrow(PastTheEnd);
    },
  );
});

test('a writer grows past any size and writes what a cursor reads', () => {
  const writer = new OctetWriter();
  for (let index = 0; index < 100; index += 1)
    writer
      .u32(index)
      .u16(index, false)
      .u8(index)
      .u64(BigInt(index))
      .f32(index / 2);
  const cursor = new Cursor(writer.octets(new Uint8Array(1_000)).finish());
  for (let index = 0; index < 100; index += 1)
    expect([cursor.u32(), cursor.u16(false), cursor.u8(), cursor.u64(), cursor.f32()]).toEqual([
      index,
      index,
      index,
      BigInt(index),
      index / 2,
    ]);
  expect(cursor.left).toBe(1_000);
});

test('equality in constant time is equality', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
      expect(equalInConstantTime(a, b)).toBe(toHex(a) === toHex(b));
    }),
  );
  expect(equalInConstantTime(fromHex('0102'), fromHex('0102'))).toBe(true);
});

test('a queue gives back what was pushed, whatever the chunks and however it is consumed', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), fc.array(fc.nat(30)), (chunks, bites) => {
      const queue = new OctetQueue();
      let read = new Uint8Array(0);
      chunks.forEach((chunk, index) => {
        queue.push(chunk);
        const bite = Math.min(bites[index] ?? 0, queue.length);
        read = concat(read, queue.peek().subarray(0, bite)) as Uint8Array<ArrayBuffer>;
        queue.consume(bite);
        queue.settle();
      });
      expect(toHex(concat(read, queue.peek()))).toBe(toHex(concat(...chunks)));
    }),
  );
});

test('a settled queue keeps no large chunk alive', () => {
  const queue = new OctetQueue();
  queue.push(new Uint8Array(1_000_000));
  queue.consume(999_990);
  queue.settle();
  expect(queue.peek().buffer.byteLength).toBe(10);
});
