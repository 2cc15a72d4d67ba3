import { describe, expect, test } from 'vitest';
import { HttpAuthenticator } from '../../../base/links/http-authentication.js';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('none', () => {
  const authenticator = new HttpAuthenticator({ kind: 'none' });

  test.each([undefined, '', 'Bearer x', 'nonsense'])('lets everybody in: %s', (header) => {
    expect(authenticator.check(header)).toEqual({ ok: true, key: '' });
    expect(authenticator.challenge).toBeUndefined();
  });
});

describe('bearer', () => {
  const authenticator = new HttpAuthenticator({ kind: 'bearer', token: 'a-token' });

  test.each(['Bearer a-token', 'bearer a-token', 'BEARER   a-token  '])('the right one: %s', (header) => {
    expect(authenticator.check(header)).toEqual({ ok: true, key: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });

  test.each([
    [undefined, 'The request has no token.'],
    ['', 'The Authorization header is no bearer token.'],
    ['Bearer', 'The Authorization header is no bearer token.'],
    ['Bearer a-token b', 'The Authorization header is no bearer token.'],
    ['Bearera-token', 'The Authorization header is no bearer token.'],
    ['Basic YTpi', 'The Authorization header is no bearer token.'],
    ['Bearer A-token', "The token is not the base's."],
    ['Bearer a-toke', "The token is not the base's."],
    ['Bearer a-tokenn', "The token is not the base's."],
  ])('not %s', (header, detail) => {
    expect(authenticator.check(header)).toEqual({ ok: false, detail });
  });

  test('the challenge names it', () => {
    expect(authenticator.challenge).toBe('Bearer realm="baseunit"');
  });
});

describe('basic', () => {
  const authenticator = new HttpAuthenticator({ kind: 'basic', user: 'home', password: 'p:ä' });

  test.each([`Basic ${base64('home:p:ä')}`, `basic   ${base64('home:p:ä')} `])('the right ones: %s', (header) => {
    expect(authenticator.check(header).ok).toBe(true);
  });

  test.each([
    [undefined, 'The request has no user and password.'],
    ['', 'The Authorization header is not of the kind Basic.'],
    ['Basic', 'The Authorization header is not of the kind Basic.'],
    ['Basic !!!!', 'The Authorization header is not of the kind Basic.'],
    [`Bearer ${base64('home:p:ä')}`, 'The Authorization header is not of the kind Basic.'],
    [`Basic ${base64('home')}`, 'The user or the password is wrong.'],
    [`Basic ${base64('home:p:a')}`, 'The user or the password is wrong.'],
    [`Basic ${base64('Home:p:ä')}`, 'The user or the password is wrong.'],
    [`Basic ${base64(':')}`, 'The user or the password is wrong.'],
    [`Basic ${base64(Buffer.from('home:p:ä', 'latin1'))}`, 'The user or the password is wrong.'],
  ])('not %s', (header, detail) => {
    expect(authenticator.check(header)).toEqual({ ok: false, detail });
  });

  test('the challenge names it', () => {
    expect(authenticator.challenge).toBe('Basic realm="baseunit", charset="UTF-8"');
  });

  test('an empty password is one', () => {
    const open = new HttpAuthenticator({ kind: 'basic', user: 'home', password: '' });
    expect(open.check(`Basic ${base64('home:')}`).ok).toBe(true);
    expect(open.check(`Basic ${base64('home:x')}`).ok).toBe(false);
  });
});

test('the key of a secret tells it from others, and nothing of it', () => {
  const keyOf = (token: string): string => {
    const authorised = new HttpAuthenticator({ kind: 'bearer', token }).check(`Bearer ${token}`);
    return authorised.ok ? authorised.key : '';
  };
  expect(keyOf('a')).toBe(keyOf('a'));
  expect(keyOf('a')).not.toBe(keyOf('b'));
});

test('a header of 8 KiB that is nearly one is refused at once', () => {
  const startedAt = performance.now();
  for (const kind of ['Basic', 'Bearer'])
    for (const authenticator of [
      new HttpAuthenticator({ kind: 'bearer', token: 'x' }),
      new HttpAuthenticator({ kind: 'basic', user: 'x', password: 'y' }),
    ])
      for (const filler of [' ', 'a', 'a=', 'a '])
        expect(authenticator.check(`${kind}${filler.repeat(8_192 / filler.length)}\n`).ok).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
