import { expect, test } from 'vitest';
import { TokenBucket } from '../../../base/core/token-bucket.js';

const taken = (bucket: TokenBucket, count: number, at: number): number =>
  Array.from({ length: count }, () => bucket.take(at)).filter(Boolean).length;

test('the burst and not one more, then so many a second', () => {
  const bucket = new TokenBucket({ perSecond: 50, burst: 200 }, 1_000);
  expect(taken(bucket, 201, 1_000)).toBe(200);
  expect(taken(bucket, 100, 2_000)).toBe(50);
  expect(taken(bucket, 1, 2_019)).toBe(0);
  expect(taken(bucket, 1, 2_020)).toBe(1);
});

test('rest fills it to the burst only', () => {
  const bucket = new TokenBucket({ perSecond: 50, burst: 200 }, 0);
  taken(bucket, 200, 0);
  expect(taken(bucket, 1_000, 3_600_000)).toBe(200);
});
