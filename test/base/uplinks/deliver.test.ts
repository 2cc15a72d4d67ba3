import { describe, expect, it } from 'vitest';
import { judge, MAX_RETRY_AFTER_MS, parseRetryAfter } from '../../../base/uplinks/webhooks/deliver.js';
import { ManualClock } from '../../support/manual-clock.js';

const now = Date.UTC(2026, 0, 1);

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:05:00 GMT', 300_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['86400', MAX_RETRY_AFTER_MS],
    ['86401', MAX_RETRY_AFTER_MS],
    ['soon', undefined],
    [undefined, undefined],
  ])('of %j is %j ms', (text, expected) => {
    expect(parseRetryAfter(text, now)).toBe(expected);
  });
});

describe('an answer', () => {
  it.each([200, 201, 204, 299])('of %i is a delivery', (status) => {
    expect(judge(status, undefined, new ManualClock())).toEqual({ kind: 'delivered' });
  });

  it.each([199, 300, 302, 400, 401, 404, 429, 500, 503])('of %i is a failure', (status) => {
    expect(judge(status, '5', new ManualClock())).toMatchObject({ kind: 'failed', retryAfterMs: 5_000 });
  });
});
