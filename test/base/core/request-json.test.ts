import { describe, expect, it } from 'vitest';
import { parseRequestJson } from '../../../base/core/request-json.js';

const parse = (text: string, maxDepth = 4) => parseRequestJson(new TextEncoder().encode(text), maxDepth);

describe('a body', () => {
  it('is given with its text', () => {
    expect(parse(' {"a":[1]} ')).toEqual({ ok: true, value: { a: [1] }, text: ' {"a":[1]} ' });
  });

  it.each([4, 64])('is nested at most as deep as is asked for: %i', (bound) => {
    const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    expect(parse(nested(bound), bound).ok).toBe(true);
    expect(parse(nested(bound + 1), bound)).toEqual({
      ok: false,
      detail: `The body is nested deeper than ${bound} levels.`,
    });
    expect(parse(`"${'['.repeat(bound + 1)}\\"["`, bound).ok).toBe(true);
  });

  it.each([
    ['', 'empty'],
    ['{"a":', 'not JSON'],
    ['{"\\u005f_proto__":1}', '__proto__'],
    ['[{"__proto__":1}]', '__proto__'],
  ])('%j is refused', (text, detail) => {
    expect(parse(text)).toEqual({ ok: false, detail: expect.stringContaining(detail) });
  });

  it('is UTF-8', () => {
    expect(parseRequestJson(Uint8Array.of(0x22, 0xff, 0x22), 1)).toEqual({
      ok: false,
      detail: 'The body is not UTF-8.',
    });
  });
});
