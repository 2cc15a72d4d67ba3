import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bool,
  bytes,
  type FieldType,
  f32,
  i16,
  i32,
  list,
  oneOf,
  rgb,
  text,
  u8,
  u16,
} from '../../protocol/definition/index.js';
import { LineReader, type LineResult, MAX_LINE_OCTETS } from '../../protocol/line/line-reader.js';
import { lineToValue, valueToLine } from '../../protocol/line/line-value.js';

const ascii = (line: string): Uint8Array => new TextEncoder().encode(line);
const read = (reader: LineReader, ...chunks: Uint8Array[]): LineResult[] =>
  chunks.flatMap((chunk) => [...reader.push(chunk)]);
const linesOf = (results: readonly LineResult[]): string[] =>
  results.map((result) => (result.kind === 'line' ? result.text : result.error.code));

describe('a line ends with', () => {
  test.each([
    ['LF', '512\n513\n', ['512', '513']],
    ['CR', '512\r513\r', ['512', '513']],
    ['CR LF', '512\r\n513\r\n', ['512', '513']],
    ['each of them in turn', 'a\nb\rc\r\nd\n', ['a', 'b', 'c', 'd']],
    ['nothing yet', '512', []],
    ['two line feeds: a line without content', 'a\n\nb\n', ['a', '', 'b']],
    ['two carriage returns: the same', 'a\r\rb\r', ['a', '', 'b']],
    ['CR LF twice: the same', 'a\r\n\r\nb\r\n', ['a', '', 'b']],
  ])('%s', (_, stream, lines) => {
    expect(linesOf(read(new LineReader(), ascii(stream)))).toEqual(lines);
    expect(linesOf(read(new LineReader(), ...[...ascii(stream)].map((octet) => Uint8Array.of(octet))))).toEqual(lines);
  });

  test('the same lines however the octets are cut', () => {
    const octets = ascii('21.5\r\n\n-3\r\r\nwarm\n');
    for (let end = 0; end <= octets.length; end += 1)
      expect(linesOf(read(new LineReader(), octets.subarray(0, end), octets.subarray(end)))).toEqual(
        linesOf(read(new LineReader(), octets)),
      );
  });
});

describe('a line’s length', () => {
  test('512 octets pass, with any end', () => {
    expect(MAX_LINE_OCTETS).toBe(512);
    for (const end of ['\n', '\r', '\r\n'])
      expect(linesOf(read(new LineReader(), ascii('x'.repeat(512) + end)))).toEqual(['x'.repeat(512)]);
  });

  test('513 are refused before an end has come, and nothing follows', () => {
    const reader = new LineReader();
    expect(linesOf(read(reader, ascii('x'.repeat(512))))).toEqual([]);
    expect(reader.pending).toBe(512);
    expect(linesOf(read(reader, ascii('x')))).toEqual(['line-too-long']);
    expect(linesOf(read(reader, ascii('\nfine\n')))).toEqual([]);
    expect(reader.pending).toBe(0);
  });

  test('an endless line is never kept', () => {
    const reader = new LineReader();
    expect(linesOf(read(reader, new Uint8Array(10_000_000).fill(65)))).toEqual(['line-too-long']);
    expect(reader.pending).toBe(0);
  });

  test('whatever comes, no more than one line’s octets are kept', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700, size: 'max' })), (chunks) => {
        const reader = new LineReader();
        for (const chunk of chunks) {
          for (const result of reader.push(chunk))
            if (result.kind === 'line') expect(result.text.length).toBeLessThan(513);
          expect(reader.pending).toBeLessThanOrEqual(MAX_LINE_OCTETS);
        }
      }),
    );
  });
});

test('octets that are no UTF-8 become a sign that no value has', () => {
  const [line] = linesOf(read(new LineReader(), Uint8Array.of(0xff, 0x0a)));
  expect(line).toBe('\ufffd');
  expect(lineToValue(text(10), line!)).toMatchObject({ ok: false });
  expect(linesOf(read(new LineReader(), ascii('21,5 °C\n')))).toEqual(['21,5 °C']);
});

describe('a line is a value', () => {
  test.each<[string, FieldType, string, unknown]>([
    ['decimal', u16(), '512', 512],
    ['with blanks around it', u16(), ' 512\t', 512],
    ['negative', i16(), '-40', -40],
    ['with a point', f32(), '21.5', 21.5],
    ['whole with a point', u8(), '21.0', 21],
    ['ten digits', i32(), '2147483647', 2_147_483_647],
    ['true', bool(), 'true', true],
    ['false', bool(), 'false', false],
    ['a colour, lower case', rgb(), '#FF8800', '#ff8800'],
    ['a choice', oneOf(['on', 'off']), 'off', 'off'],
    ['a text as it is', text(8), ' a b ', ' a b '],
  ])('%s', (_, type, line, value) => {
    expect(lineToValue(type, line)).toEqual({ ok: true, value });
  });
});

describe('a line is refused', () => {
  test.each<[string, FieldType, string, string]>([
    ['a path', u16(), '../../x', 'wrong-type'],
    ['nothing', u16(), '', 'wrong-type'],
    ['an exponent', f32(), '1e3', 'wrong-type'],
    ['hexadecimal', u16(), '0x10', 'wrong-type'],
    ['a sign more', u16(), '+5', 'wrong-type'],
    ['a point alone', f32(), '5.', 'wrong-type'],
    ['a comma', f32(), '21,5', 'wrong-type'],
    ['eleven digits', f32(), '12345678901', 'wrong-type'],
    ['NaN', f32(), 'NaN', 'wrong-type'],
    ['Infinity', f32(), 'Infinity', 'wrong-type'],
    ['two numbers', u16(), '5 6', 'wrong-type'],
    ['half a number for a whole one', u16(), '21.5', 'wrong-type'],
    ['past the range', u16({ max: 1023 }), '1024', 'out-of-range'],
    ['below the range', u16(), '-1', 'out-of-range'],
    ['a truth in capitals', bool(), 'TRUE', 'wrong-type'],
    ['a colour name', rgb(), 'red', 'wrong-type'],
    ['no choice', oneOf(['on', 'off']), 'maybe', 'bad-index'],
    ['a text too long', text(3), 'abcd', 'too-long'],
    ['octets', bytes(3), '00', 'wrong-type'],
    ['a list', list(u8(), 3), '1', 'wrong-type'],
  ])('%s', (_, type, line, code) => {
    expect(lineToValue(type, line)).toMatchObject({ ok: false, refusal: { code } });
  });
});

describe('a value as a line', () => {
  test.each<[FieldType, boolean | number | string, string]>([
    [u16(), 512, '512'],
    [f32({ decimals: 1 }), 21.55, '21.6'],
    [f32({ decimals: 0 }), -3, '-3'],
    [bool(), true, 'true'],
    [rgb(), '#FF8800', '#ff8800'],
    [text(5), 'warm', 'warm'],
    [oneOf(['on', 'off']), 'on', 'on'],
  ])('%# is what the original writes', (type, value, line) => {
    expect(valueToLine(type, value)).toBe(line);
  });

  test('a whole number there and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }), (value) => {
        expect(lineToValue(i32(), valueToLine(i32(), value))).toEqual({ ok: true, value });
      }),
    );
  });

  test('whatever the line, reading it never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        for (const type of [bool(), u8(), f32(), rgb(), text(9), oneOf(['a']), bytes(2), list(u8(), 2)])
          expect(typeof lineToValue(type, line).ok).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
