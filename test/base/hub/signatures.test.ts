import { describe, expect, it } from 'vitest';
import {
  authFault,
  bodyMd5,
  channelText,
  isSameText,
  requestText,
  sign,
  userText,
} from '../../../base/hub/signatures.js';
import { APP } from './support/hub-under-test.js';

describe('signatures of the documentation', () => {
  it.each([
    [channelText('1234.1234', 'private-foobar'), '58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4'],
    [userText('1234.1234', '{"id":"12345"}'), '4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba'],
    [
      channelText('1234.1234', 'presence-foobar', '{"user_id":10,"user_info":{"name":"Mr. Channels"}}'),
      '31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80',
    ],
  ])('signs %s', (text, digest) => {
    expect(sign(APP.secret, text)).toBe(digest);
    expect(authFault(APP, `${APP.key}:${digest}`, text)).toBeUndefined();
  });

  it('signs a request of the HTTP API', () => {
    const body = Buffer.from('{"name":"foo","channels":["project-3"],"data":"{\\"some\\":\\"data\\"}"}');
    expect(bodyMd5(body)).toBe('ec365a775a4cd0599faeb73354201b6f');
    const parameters = new Map([
      ['body_md5', bodyMd5(body)],
      ['auth_version', '1.0'],
      ['auth_signature', 'is not signed itself'],
      ['auth_key', APP.key],
      ['auth_timestamp', '1353088179'],
    ]);
    const text = requestText('POST', '/apps/3/events', parameters);
    expect(sign(APP.secret, text)).toBe('da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c');
  });
});

describe('what is wrong with an auth string', () => {
  const text = channelText('1.2', 'private-a');
  const good = sign(APP.secret, text);

  it.each([
    [undefined, 'Auth value missing'],
    ['', 'Auth value missing'],
    [7, 'Auth value missing'],
    ['nonsense', 'Invalid auth value'],
    [`other:${good}`, "Invalid key in auth value: 'other'"],
    [`${APP.key}:`, 'Invalid signature: Expected HMAC SHA256 hex digest of 1.2:private-a, but got '],
    [`${APP.key}:${good.toUpperCase()}`, 'Invalid signature'],
    [`${APP.key}:${good}0`, 'Invalid signature'],
    [`${APP.key}:${sign('other secret', text)}`, 'Invalid signature'],
  ])('%j', (auth, fault) => {
    expect(authFault(APP, auth, text)).toContain(fault);
  });

  it('never tells the signature it expected', () => {
    expect(authFault(APP, `${APP.key}:${'0'.repeat(64)}`, text)).not.toContain(good);
  });

  it('compares texts of any length', () => {
    expect(isSameText('', '')).toBe(true);
    expect(isSameText('a', 'ab')).toBe(false);
    expect(isSameText('ab', 'ac')).toBe(false);
  });
});
