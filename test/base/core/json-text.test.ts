import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../../base/core/json-text.js';

const fault = (text: string) => {
  const parsed = parseJsonText(text);
  if (parsed.ok) throw new Error(`no fault found in ${text}`);
  return `${parsed.fault.line}:${parsed.fault.column} ${parsed.fault.what}`;
};

describe('a fault in JSON is named with its line and column', () => {
  it.each([
    ['{\n  "a": 1,\n}', '2:9 there is a comma before }; take it out'],
    ['[1,2,]', '1:5 there is a comma before ]; take it out'],
    ['{\n  // why\n  "a": 1 }', '2:3 there is a comment, which JSON does not have; take it out'],
    ['{"a": 1 /* x */}', '1:9 there is a comment, which JSON does not have; take it out'],
    ["{'a': 1}", '1:2 there is a single quote; write strings in "…"'],
    ['{name: 1}', '1:2 name is a name without quotes; write "name"'],
    ['{"a": 1\n "b": 2}', '2:2 a comma or } is missing before this'],
    ['{"a" 1}', '1:6 a colon is missing here'],
    ['{"a": }', '1:7 a value is missing or not written as JSON has it'],
    ['{"a": yes}', '1:7 a value is missing or not written as JSON has it'],
    ['{"a": 01}', '1:7 a value is missing or not written as JSON has it'],
    ['{"a": "x\n"}', '1:7 this string does not end on its line'],
    ['{"a": "\\x"}', '1:7 this string does not end on its line'],
    ['{"a": [1', '1:9 the text ends too early: ] is missing'],
    ['{"a": {', '1:8 the text ends too early: } is missing'],
    ['', '1:1 the text is empty; write {}'],
    ['{} {}', '1:4 there is something behind the end of the value; take it out'],
    ['{"a": 1,\n "b": 2,\n "a": 3}', '3:2 "a" is there twice; take one of them out'],
    ['{"a": 1, "\\u0061": 3}', '1:10 "\\u0061" is there twice; take one of them out'],
    ['{"__proto__": {}}', '1:2 "__proto__" cannot be a name here; take it out'],
    ['{,}', '1:2 a name in "…" is missing here'],
  ])('%j', (text, expected) => {
    expect(fault(text)).toContain(expected);
  });
});

it('takes "__proto__" for a name where it is allowed, as an own property', () => {
  const parsed = parseJsonText('{"__proto__": 1}', true);
  expect(parsed.ok && Object.entries(parsed.value as object)).toEqual([['__proto__', 1]]);
});

it('reads every JSON value as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      fc.pre(!text.includes('"__proto__"'));
      expect(parseJsonText(text)).toEqual({ ok: true, value: JSON.parse(text) });
    }),
  );
});

it('says of no text that it is JSON when JSON.parse does not, and never throws', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"b"',
    '1',
    '-',
    '1.5e3',
    'true',
    'nul',
    ' ',
    '\n',
    '"',
    '\\',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const isJson = (() => {
        try {
          JSON.parse(text);
          return true;
        } catch {
          return false;
        }
      })();
      const parsed = parseJsonText(text);
      if (!isJson) expect(parsed.ok).toBe(false);
      else if (!parsed.ok) expect(parsed.fault.what).toContain('is there twice');
    }),
    { numRuns: 3_000 },
  );
});

it('depth costs no call stack', () => {
  expect(fault('['.repeat(500_000))).toContain('the text ends too early');
});

it('a long string is read', () => {
  const value = 'x'.repeat(1_000_000);
  expect(parseJsonText(JSON.stringify({ value }))).toEqual({ ok: true, value: { value } });
});
