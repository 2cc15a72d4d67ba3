import { describe, expect, it } from 'vitest';
import {
  SIGNATURE_TOLERANCE_S,
  secretOctets,
  signWebhook,
  verifyWebhook,
} from '../../../base/uplinks/webhooks/standard-webhook.js';

// the vector of the Standard Webhooks libraries' own tests
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const timestampS = 1_614_265_330;
const body = '{"test": 2432232314}';
const nowMs = timestampS * 1_000;

describe('a Standard Webhooks signature', () => {
  it('is that of the published vector', () => {
    expect(signWebhook(secret, id, timestampS, body)).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('is accepted by a receiver, also beside one of another secret', () => {
    const headers = signWebhook(secret, id, timestampS, body);
    expect(verifyWebhook(secret, { ...headers }, body, nowMs)).toEqual({ isValid: true });
    const two = { ...headers, 'webhook-signature': `v1,AAAA ${headers['webhook-signature']}` };
    expect(verifyWebhook(secret, two, body, nowMs)).toEqual({ isValid: true });
  });

  it.each([
    ['another body', {}, '{"test": 1}', secret],
    ['another id', { 'webhook-id': 'msg_other' }, body, secret],
    ['another time', { 'webhook-timestamp': String(timestampS + 1) }, body, secret],
    ['another secret', {}, body, 'whsec_AAAA'],
    ['another version', { 'webhook-signature': 'v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' }, body, secret],
    ['a missing header', { 'webhook-signature': undefined }, body, secret],
    ['a timestamp that is none', { 'webhook-timestamp': 'soon' }, body, secret],
  ])('is refused with %s', (_, changed, sent, given) => {
    const headers = { ...signWebhook(secret, id, timestampS, body), ...changed };
    expect(verifyWebhook(given, headers, sent, nowMs).isValid).toBe(false);
  });

  it('is refused past the tolerance, before and after, and not at it', () => {
    const headers = { ...signWebhook(secret, id, timestampS, body) };
    const at = (s: number): boolean => verifyWebhook(secret, headers, body, nowMs + s * 1_000).isValid;
    expect([at(SIGNATURE_TOLERANCE_S), at(-SIGNATURE_TOLERANCE_S)]).toEqual([true, true]);
    expect([at(SIGNATURE_TOLERANCE_S + 1), at(-SIGNATURE_TOLERANCE_S - 1)]).toEqual([false, false]);
  });

  it('is there once for each secret while the secret is changed, the new one first', () => {
    const [old, next] = [secret, 'whsec_bmV3IHNlY3JldA=='];
    const both = signWebhook([next, old], id, timestampS, body);
    expect(both['webhook-signature']).toBe(
      [next, old].map((each) => signWebhook(each, id, timestampS, body)['webhook-signature']).join(' '),
    );
    expect(both['webhook-signature'].split(' ').map((text) => text.slice(0, 3))).toEqual(['v1,', 'v1,']);
    for (const known of [old, next, [old, next], [next], ['stranger', old]])
      expect(verifyWebhook(known, { ...both }, body, nowMs), String(known)).toEqual({ isValid: true });
    for (const known of ['stranger', ['stranger', 'whsec_AAAA']])
      expect(verifyWebhook(known, { ...both }, body, nowMs).isValid, String(known)).toBe(false);
  });

  it('by either secret is enough for a receiver that has changed first', () => {
    const headers = { ...signWebhook(secret, id, timestampS, body) };
    expect(verifyWebhook(['new', secret], headers, body, nowMs)).toEqual({ isValid: true });
    expect(verifyWebhook(['new', 'newer'], headers, body, nowMs).isValid).toBe(false);
  });

  it('is compared up to the eighth of a header, and no further', () => {
    const headers = signWebhook(secret, id, timestampS, body);
    const behind = (count: number) => ({
      ...headers,
      'webhook-signature': `${'v1,AAAA '.repeat(count)}${headers['webhook-signature']}`,
    });
    expect(verifyWebhook(secret, behind(7), body, nowMs).isValid).toBe(true);
    expect(verifyWebhook(secret, behind(8), body, nowMs).isValid).toBe(false);
  });

  it('needs a secret on both sides', () => {
    expect(() => signWebhook([], id, timestampS, body)).toThrow(RangeError);
    expect(() => signWebhook([secret, ''], id, timestampS, body)).toThrow(RangeError);
    const headers = { ...signWebhook(secret, id, timestampS, body) };
    expect(() => verifyWebhook([], headers, body, nowMs)).toThrow(RangeError);
    expect(() => verifyWebhook([secret, ''], headers, body, nowMs)).toThrow(RangeError);
  });

  it('takes a raw text as secret, and no empty one', () => {
    const headers = { ...signWebhook('open sesame', id, timestampS, body) };
    expect(verifyWebhook('open sesame', headers, body, nowMs).isValid).toBe(true);
    expect(() => secretOctets('')).toThrow(RangeError);
    expect(() => secretOctets('whsec_')).toThrow(RangeError);
  });
});
