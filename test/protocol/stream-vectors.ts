import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DecodeResult } from '../../protocol/decode-result.js';
import { OctetQueue } from '../../protocol/octet-queue.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';

/** One vector of `test/vectors`: octets and what they mean, or the code with which they are refused. */
export interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly source: string;
}

export const vectorsOf = <V extends Vector>(file: string): V[] =>
  JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as V[];

/** Octets as hexadecimal digits, everything else as it is: how values stand in the vector files. */
export const asJson = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? toHex(part) : part)));

/** Runs each vector as decode, encode, re-encode, cut at every octet, one octet at a time, joined with what follows. */
export function describeStream<T>(
  what: string,
  vectors: readonly Vector[],
  codec: { decode(octets: Uint8Array): DecodeResult<T>; encode(value: T): Uint8Array; fromJson(value: unknown): T },
  following: string,
): void {
  describe.each(vectors.filter(({ error }) => error === undefined))(`${what}: $name ($source)`, ({ hex, value }) => {
    const octets = fromHex(hex);

    test('decodes', () => {
      const result = codec.decode(octets);
      expect(result).toMatchObject({ kind: 'frame', used: octets.length });
      expect(result.kind === 'frame' && asJson(result.value)).toEqual(value);
    });

    test('encodes, and encodes again what was decoded', () => {
      expect(toHex(codec.encode(codec.fromJson(value)))).toBe(hex);
      const result = codec.decode(octets);
      expect(result.kind === 'frame' && toHex(codec.encode(result.value))).toBe(hex);
    });

    test('cut at every octet it wants more, and never more than there is', () => {
      for (let end = 0; end < octets.length; end += 1) {
        const result = codec.decode(octets.subarray(0, end));
        expect(result.kind).toBe('more');
        if (result.kind !== 'more') continue;
        expect(result.needed).toBeGreaterThan(end);
        expect(result.needed).toBeLessThanOrEqual(octets.length);
      }
    });

    test('one octet at a time it comes once, at the last octet', () => {
      const queue = new OctetQueue();
      const cameAt: number[] = [];
      octets.forEach((octet, index) => {
        queue.push(Uint8Array.of(octet));
        const result = codec.decode(queue.peek());
        if (result.kind === 'frame') {
          queue.consume(result.used);
          cameAt.push(index);
        }
        queue.settle();
      });
      expect(cameAt).toEqual([octets.length - 1]);
      expect(queue.length).toBe(0);
    });

    test('joined with what follows it takes its own octets only', () => {
      const joined = concat(octets, fromHex(following));
      const first = codec.decode(joined);
      expect(first).toMatchObject({ kind: 'frame', used: octets.length });
      expect(codec.decode(joined.subarray(octets.length))).toMatchObject({ kind: 'frame' });
    });
  });

  const refused = vectors.filter(({ error }) => error !== undefined);
  if (refused.length === 0) return;
  test.each(refused)(`${what}: $name is refused ($source)`, ({ hex, error }) => {
    const octets = fromHex(hex);
    expect(codec.decode(octets)).toMatchObject({ kind: 'bad', error: { code: error } });
    for (let end = 0; end < octets.length; end += 1)
      expect(codec.decode(octets.subarray(0, end)).kind).not.toBe('frame');
  });
}
