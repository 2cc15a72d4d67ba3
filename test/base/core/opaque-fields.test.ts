import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  MAX_OPAQUE_BINARY_OCTETS,
  MAX_OPAQUE_FIELDS,
  MAX_OPAQUE_FIELDS_OCTETS,
  MAX_OPAQUE_NAME_CHARACTERS,
  MAX_OPAQUE_TEXT_CHARACTERS,
  opaqueFields,
} from '../../../base/core/opaque-fields.js';
import type { Payload, PayloadFormat } from '../../../protocol/iotsocket/payload.js';

const json = (value: unknown): Payload => ({ format: 'json', value });
const octetsOf = (fields: object): number => Buffer.byteLength(JSON.stringify(fields));

test('a JSON object gives its members that are truth values, numbers and texts; what is nested is left out', () => {
  const value = { on: true, t: 21.5, mode: 'eco', list: [1], deep: { a: 1 }, none: null, '': 0 };
  expect(opaqueFields(json(value))).toEqual({ on: true, t: 21.5, mode: 'eco', '': 0 });
});

test.each<[PayloadFormat, unknown, object]>([
  ['json', 21.5, { value: 21.5 }],
  ['json', false, { value: false }],
  ['json', '21.5', { value: '21.5' }],
  ['json', null, {}],
  ['json', [1, 2], {}],
  ['json', JSON.parse('1e400'), {}],
  ['ascii', '21.5', { value: 21.5 }],
  ['ascii', '-7', { value: -7 }],
  ['utf8', '21.5 °C', { value: '21.5 °C' }],
  ['ascii', ' 7', { value: ' 7' }],
  ['ascii', '7.', { value: '7.' }],
  ['ascii', '1e3', { value: '1e3' }],
  ['ascii', '0x10', { value: '0x10' }],
  ['ascii', '7\n', { value: '7\n' }],
  ['ascii', '', { value: '' }],
  ['ascii', '9'.repeat(308), { value: Number('9'.repeat(308)) }],
  ['ascii', '9'.repeat(309), { value: '9'.repeat(309) }],
  ['binary', [1, 2, 255], { value: 'AQL/' }],
  ['binary', [], { value: '' }],
])('%s %j is %j', (format, value, fields) => {
  expect(opaqueFields({ format, value })).toEqual(fields);
});

test('at most 64 fields, and names of at most 64 characters', () => {
  const many = Object.fromEntries(Array.from({ length: MAX_OPAQUE_FIELDS + 1 }, (_, index) => [`f${index}`, index]));
  const fields = opaqueFields(json(many));
  expect(Object.keys(fields)).toEqual(Object.keys(many).slice(0, MAX_OPAQUE_FIELDS));
  const [just, past] = ['x'.repeat(MAX_OPAQUE_NAME_CHARACTERS), 'x'.repeat(MAX_OPAQUE_NAME_CHARACTERS + 1)];
  expect(opaqueFields(json({ [just]: 1, [past]: 2 }))).toEqual({ [just]: 1 });
});

test('texts are cut, never within a character; binary is cut', () => {
  const whole = 'x'.repeat(MAX_OPAQUE_TEXT_CHARACTERS);
  expect(opaqueFields({ format: 'utf8', value: whole })).toEqual({ value: whole });
  expect(opaqueFields({ format: 'utf8', value: `${whole}y` })).toEqual({ value: whole });
  expect(opaqueFields(json({ text: `${whole.slice(1)}😀` }))).toEqual({ text: whole.slice(1) });
  const octets = new Array(MAX_OPAQUE_BINARY_OCTETS + 1).fill(7);
  expect(opaqueFields({ format: 'binary', value: octets.slice(1) })).toEqual(
    opaqueFields({ format: 'binary', value: octets }),
  );
});

test('all fields together have room in a row of 4 KiB; what has none is left out, and the next may fit', () => {
  const text = 'x'.repeat(MAX_OPAQUE_TEXT_CHARACTERS);
  const fields = opaqueFields(json({ a: text, b: text, c: text, d: text, e: 1 }));
  expect(Object.keys(fields)).toEqual(['a', 'b', 'c', 'e']);
  // `{"a":"…","b":"…",` and so on: exactly full, and one octet more.
  const room = MAX_OPAQUE_FIELDS_OCTETS - octetsOf({ ...fields, e: undefined }) - ',"d":""'.length;
  const full = { a: text, b: text, c: text, d: 'y'.repeat(room) };
  expect(octetsOf(full)).toBe(MAX_OPAQUE_FIELDS_OCTETS);
  expect(Object.keys(opaqueFields(json({ ...full, d: 'y'.repeat(room - 1) })))).toEqual(['a', 'b', 'c', 'd']);
  expect(Object.keys(opaqueFields(json({ ...full, d: 'y'.repeat(room + 1) })))).toEqual(['a', 'b', 'c']);
  // Six octets of one character.
  expect(octetsOf(opaqueFields({ format: 'ascii', value: '\u0001'.repeat(2_000) }))).toBeLessThanOrEqual(
    MAX_OPAQUE_FIELDS_OCTETS,
  );
});

test('names that objects have of themselves harm nothing', () => {
  const fields = opaqueFields(
    json(JSON.parse('{"__proto__":{"on":true},"constructor":1,"toString":"x","hasOwnProperty":false}')),
  );
  expect(Object.getPrototypeOf(fields)).toBe(Object.prototype);
  expect(Object.entries(fields)).toEqual([
    ['constructor', 1],
    ['toString', 'x'],
    ['hasOwnProperty', false],
  ]);
  expect(Object.entries(opaqueFields(json(JSON.parse('{"__proto__":7,"a":1}'))))).toEqual([['a', 1]]);
  expect(({} as { on?: boolean }).on).toBeUndefined();
});

test('whatever it is, it never throws, and what comes of it fits and can be charted', () => {
  const any = fc.oneof(
    fc.record({ format: fc.constant<PayloadFormat>('json'), value: fc.jsonValue({ maxDepth: 5 }) }),
    fc.record({
      format: fc.constant<PayloadFormat>('json'),
      value: fc.dictionary(fc.string({ unit: 'binary', maxLength: 80 }), fc.jsonValue({ maxDepth: 2 }), {
        maxKeys: 90,
      }),
    }),
    fc.record({ format: fc.constantFrom<PayloadFormat>('ascii', 'utf8'), value: fc.string({ unit: 'binary' }) }),
    fc.record({ format: fc.constant<PayloadFormat>('utf8'), value: fc.string({ minLength: 900, maxLength: 5_000 }) }),
    fc.record({ format: fc.constant<PayloadFormat>('binary'), value: fc.array(fc.nat(255), { maxLength: 2_000 }) }),
    fc.record({ format: fc.constantFrom<PayloadFormat>('binary', 'ascii', 'json'), value: fc.anything() }),
  );
  fc.assert(
    fc.property(any, (payload) => {
      const fields = opaqueFields(payload);
      expect(octetsOf(fields)).toBeLessThanOrEqual(MAX_OPAQUE_FIELDS_OCTETS);
      for (const value of Object.values(fields)) {
        expect(['boolean', 'number', 'string']).toContain(typeof value);
        if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});
