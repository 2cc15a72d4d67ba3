import { expect, it } from 'vitest';
import { suggest } from '../../../base/core/suggest.js';

const known = ['definition', 'address', 'key', 'lineEnd'];

it('finds what was most likely meant', () => {
  expect(suggest('adress', known)).toBe('address');
  expect(suggest('definiton', known)).toBe('definition');
  expect(suggest('kye', known)).toBe('key');
  expect(suggest('lineend', known)).toBe('lineEnd');
});

it('suggests nothing where nothing is near', () => {
  expect(suggest('password', known)).toBeUndefined();
  expect(suggest('', known)).toBeUndefined();
  expect(suggest('x', [])).toBeUndefined();
});

it('does not compare words over 64 characters', () => {
  const word = 'a'.repeat(64);
  expect(suggest(word, [word])).toBe(word);
  expect(suggest(`${word}a`, [`${word}a`])).toBeUndefined();
});
