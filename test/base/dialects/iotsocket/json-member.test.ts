import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonMember } from '../../../../base/dialects/iotsocket/json-member.js';

describe('a member of a JSON text', () => {
  it.each([
    ['{"a":12345678901234567890}', '12345678901234567890'],
    ['{"a":1e400,"b":2}', '1e400'],
    ['{"b":2,"a":1.0}', '1.0'],
    ['{ "a" : [ 1 ,\n\t{ "c" : "x  \\" y" } ] }', '[1,{"c":"x  \\" y"}]'],
    ['{"a":{},"b":{"a":3}}', '{}'],
    ['{"b":{"a":3},"c":["a",":"]}', undefined],
    ['{"a":1,"\\u0061":2}', '2'],
    ['{"b":"a","a":null}', 'null'],
    ['{"b":"\\\\","a":"}"}', '"}"'],
    ['{"a":"é\\u00e9"}', '"é\\u00e9"'],
    ['{}', undefined],
    [' { } ', undefined],
    ['"a"', undefined],
  ])('of %s is %s', (text, value) => {
    expect(jsonMember(text, 'a')).toBe(value);
  });

  it('is what JSON.parse and JSON.stringify make of it, whatever the blanks', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), value),
        value,
        fc.constantFrom(0, 1, '\t', ' \n'),
        (others, each, indent) => {
          for (const object of [
            { ...others, Payload: each },
            { Payload: each, ...others, Payload2: each },
          ]) {
            const text = JSON.stringify(object, null, indent);
            const { Payload } = JSON.parse(text);
            expect(jsonMember(text, 'Payload')).toBe(JSON.stringify(Payload));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is found in a text of half a MiB without a call for each character', () => {
    const long = JSON.stringify(`"\\${'x'.repeat(500_000)}`);
    expect(jsonMember(`{"b":[${'1, '.repeat(20_000)}1],"a":${long}}`, 'a')).toBe(long);
  });
});
