import { describe, expect, test } from 'vitest';
import { checkLogin, decodeLogin, encodeLogin, LOGIN_OCTETS } from '../../protocol/iotsocket/login.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { countingCrypto } from './crypto.js';
import { asJson, type Vector, vectorsOf } from './stream-vectors.js';

interface LoginVector extends Vector {
  readonly key: string;
  readonly challenge: string;
  readonly value?: { readonly uid: string };
}

const crypto = countingCrypto(0);
const vectors = vectorsOf<LoginVector>('iotsocket-login.json');
const right = vectors.filter(({ error }) => error === undefined);

describe.each(right)('login: $name ($source)', ({ hex, value, key, challenge }) => {
  const octets = fromHex(hex);

  test('encodes', () => {
    expect(toHex(encodeLogin(crypto, value!.uid, fromHex(key), fromHex(challenge)))).toBe(hex);
  });

  test('decodes, also with octets behind it, as frames of draft v0.07 may be', () => {
    expect(octets).toHaveLength(LOGIN_OCTETS);
    expect(asJson(decodeLogin(octets))).toEqual(value);
    expect(asJson(decodeLogin(concat(octets, Uint8Array.of(0x10, 0x20))))).toEqual(value);
  });

  test('cut at every octet it is none', () => {
    for (let end = 0; end < octets.length; end += 1) expect(decodeLogin(octets.subarray(0, end))).toBeUndefined();
  });

  test('is right with its key and challenge', () => {
    expect(checkLogin(crypto, decodeLogin(octets)!, fromHex(key), fromHex(challenge))).toBe(true);
  });

  test('is wrong with any octet of proof, key or challenge changed', () => {
    const changed = (text: string, at: number) => fromHex(text).map((octet, index) => (index === at ? ~octet : octet));
    for (let at = LOGIN_OCTETS - 32; at < LOGIN_OCTETS; at += 1)
      expect(checkLogin(crypto, decodeLogin(changed(hex, at))!, fromHex(key), fromHex(challenge))).toBe(false);
    for (let at = 0; at < 16; at += 1) {
      expect(checkLogin(crypto, decodeLogin(octets)!, changed(key, at), fromHex(challenge))).toBe(false);
      expect(checkLogin(crypto, decodeLogin(octets)!, fromHex(key), changed(challenge, at))).toBe(false);
    }
  });
});

test.each(vectors.filter(({ error }) => error !== undefined))('login: $name is none ($source)', ({ hex }) => {
  expect(decodeLogin(fromHex(hex))).toBeUndefined();
});

test('a UID of 16 octets goes, one of 17 is refused', () => {
  const login = (uid: string) => encodeLogin(crypto, uid, new Uint8Array(16), new Uint8Array(16));
  expect(login('x'.repeat(16))).toHaveLength(LOGIN_OCTETS);
  expect(() => login('x'.repeat(17))).toThrow(RangeError);
});
