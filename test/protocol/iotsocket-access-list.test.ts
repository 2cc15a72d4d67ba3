import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bad, type DecodeResult, frame, more } from '../../protocol/decode-result.js';
import {
  ACCESS_LIST_TYPE,
  type AccessListEntry,
  AccessListReader,
  encodeAccessList,
} from '../../protocol/iotsocket/access-list.js';
import { concat, fromHex } from '../../protocol/octets.js';
import { describeStream, vectorsOf } from './stream-vectors.js';

const MAX_ENTRIES = 8;
const reader = () => new AccessListReader({ maxEntries: MAX_ENTRIES });
const entry = (index: number): AccessListEntry => ({
  group: 'Devices',
  uid: `object-${index}`,
  key: new Uint8Array(16).fill(index),
});
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(index));
/** From behind the first octet on, as the reader takes it. */
const listOf = (count: number) => encodeAccessList(entries(count)).subarray(1);
const countOf = (count: number) => Uint8Array.of(count >>> 24, count >>> 16, count >>> 8, count);

function decode(octets: Uint8Array): DecodeResult<readonly AccessListEntry[]> {
  if (octets.length === 0) return more(1);
  expect(octets[0]).toBe(ACCESS_LIST_TYPE);
  const step = reader().push(octets.subarray(1));
  if (step.kind === 'bad') return bad(step.error);
  return step.kind === 'more' ? more(octets.length + 1) : frame(step.entries, octets.length - step.rest);
}

interface InJson {
  readonly group: string;
  readonly uid: string;
  readonly key: string;
}

describeStream<readonly AccessListEntry[]>(
  'access list',
  vectorsOf('iotsocket-access-lists.json'),
  {
    decode,
    encode: encodeAccessList,
    fromJson: (value) => (value as InJson[]).map(({ key, ...names }) => ({ ...names, key: fromHex(key) })),
  },
  '0000000000',
);

describe('the reader', () => {
  test('comes to the same list however the octets are cut, and says what is behind it', () => {
    const octets = concat(listOf(5), fromHex('102030'));
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: 0, max: 60 })), (sizes) => {
        const list = reader();
        let at = 0;
        for (;;) {
          const piece = octets.subarray(at, at + sizes.next().value);
          at += piece.length;
          const step = list.push(piece);
          if (step.kind === 'list') {
            expect(step.entries).toEqual(entries(5));
            expect(at - step.rest).toBe(octets.length - 3);
            return;
          }
          expect(step.kind).toBe('more');
          expect(at).toBeLessThan(octets.length - 3);
        }
      }),
    );
  });

  test('knows the count first', () => {
    const list = reader();
    expect(list.count).toBeUndefined();
    expect(list.push(fromHex('000000'))).toEqual({ kind: 'more' });
    expect(list.count).toBeUndefined();
    list.push(fromHex('02'));
    expect(list.count).toBe(2);
  });

  test('takes as many entries as are allowed; one more is refused before an entry has come', () => {
    expect(reader().push(listOf(MAX_ENTRIES))).toMatchObject({ kind: 'list', rest: 0 });
    for (const count of [MAX_ENTRIES + 1, 0xffff_ffff])
      expect(reader().push(countOf(count))).toMatchObject({ kind: 'bad', error: { code: 'frame-too-long' } });
  });

  test('keeps no more than has come, doubled, and never more than was announced', () => {
    const list = new AccessListReader({ maxEntries: 1_000_000 });
    list.push(countOf(1_000_000));
    expect(list.kept).toBe(0);
    for (let index = 0; index < 500; index += 1) {
      const { kept } = list;
      list.push(encodeAccessList([entry(index)]).subarray(5));
      expect(list.kept).toBeLessThanOrEqual(Math.max(16 * 48, 2 * 48 * (index + 1)));
      expect(list.kept).toBeGreaterThanOrEqual(kept);
    }
    const small = reader();
    small.push(listOf(3).subarray(0, 4 + 3 * 48 - 1));
    expect(small.kept).toBe(3 * 48);
  });

  test('a list that ends after one of a thousand entries is no list', () => {
    const list = new AccessListReader({ maxEntries: 1_000 });
    expect(list.push(listOf(1_000).subarray(0, 4 + 48))).toEqual({ kind: 'more' });
  });

  test('names the entry that cannot be', () => {
    const octets = listOf(3);
    octets.fill(0, 4 + 2 * 48 + 16, 4 + 2 * 48 + 32);
    expect(reader().push(octets)).toMatchObject({ error: { message: 'entry 3 of the access list has no UID' } });
  });

  test('its keys are copies of their own', () => {
    const octets = listOf(1).slice();
    const step = reader().push(octets);
    octets.fill(9);
    expect(step.kind === 'list' && step.entries[0]!.key).toEqual(entry(0).key);
  });

  test('arbitrary octets never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        const step = reader().push(concat(Uint8Array.of(0, 0, 0, 1), octets));
        expect(step.kind === 'more').toBe(octets.length < 48);
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each<[string, Partial<AccessListEntry>]>([
  ['an empty UID', { uid: '' }],
  ['a UID of 17 octets', { uid: 'x'.repeat(17) }],
  ['a group of 17 octets', { group: 'x'.repeat(17) }],
  ['a UID with a 00', { uid: 'a\0b' }],
  ['a group with a 00', { group: '\0b' }],
  ['a key of 15 octets', { key: new Uint8Array(15) }],
  ['a key of 17 octets', { key: new Uint8Array(17) }],
])('%s cannot be sent', (_, wrong) => {
  expect(() => encodeAccessList([entry(0), { ...entry(1), ...wrong }])).toThrow(RangeError);
});
