import { expect, test } from 'vitest';
import { uuid } from '../../../base/core/uuid.js';
import { systemRandom } from '../../../base/system.js';

const octets = (fill: number) => ({ octets: (count: number) => new Uint8Array(count).fill(fill), fraction: () => 0 });

test('has the form, the version and the variant of RFC 9562, whatever the random octets', () => {
  expect(uuid(octets(0x00))).toBe('00000000-0000-4000-8000-000000000000');
  expect(uuid(octets(0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
});

test('takes every octet from where randomness comes from, and leaves that as it is', () => {
  const source = Uint8Array.from({ length: 16 }, (_, index) => index);
  expect(uuid({ octets: () => source, fraction: () => 0 })).toBe('00010203-0405-4607-8809-0a0b0c0d0e0f');
  expect([...source]).toEqual([...source.keys()]);
});

test('a thousand are a thousand', () => {
  expect(new Set(Array.from({ length: 1_000 }, () => uuid(systemRandom))).size).toBe(1_000);
});
