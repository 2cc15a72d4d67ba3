import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerBody,
  blockOfBody,
  MAX_BODY_DEPTH,
  notValidAnswer,
  webhookBody,
} from '../../../../base/dialects/iotsocket/http-payload.js';
import { MAX_PAYLOAD_OCTETS, payloadOf } from '../../../../protocol/iotsocket/payload.js';
import { type PayloadBlock, payloadFormats } from '../../../../protocol/iotsocket/transmission.js';

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
const block = (format: number, data: Uint8Array | string): PayloadBlock => ({
  format,
  options: 0,
  data: typeof data === 'string' ? octets(data) : data,
});
const { binary, ascii, utf8, json } = payloadFormats;

/** The block of a body that is this text. */
const read = (text: string) => blockOfBody({ value: JSON.parse(text), text });
const readOf = (body: object) => read(JSON.stringify(body));

describe('a payload out of a body', () => {
  it.each<[string, object, PayloadBlock]>([
    ['JSON', { Payload: { a: [1, null] }, Format: 'JSON' }, block(json, '{"a":[1,null]}')],
    ['JSON null', { Payload: null, Format: 'JSON' }, block(json, 'null')],
    ['JSON text', { Payload: 'é', Format: 'JSON' }, block(json, '"é"')],
    ['ASCII', { Payload: '21.5', Format: 'ASCII' }, block(ascii, '21.5')],
    ['empty ASCII', { Payload: '', Format: 'ASCII' }, block(ascii, '')],
    ['UTF8', { Payload: 'é\u0000', Format: 'UTF8' }, block(utf8, 'é\u0000')],
    ['BINARY', { Payload: [0, 128, 255], Format: 'BINARY' }, block(binary, Uint8Array.of(0, 128, 255))],
    ['empty BINARY', { Payload: [], Format: 'BINARY' }, block(binary, '')],
  ])('%s', (_, body, expected) => {
    expect(readOf(body)).toEqual({ ok: true, block: expected });
  });

  it('of JSON keeps every digit, and leaves blanks out', () => {
    expect(read('{"Payload" : { "id" : 12345678901234567890, "t" : " x " }, "Format":"JSON"}')).toEqual({
      ok: true,
      block: block(json, '{"id":12345678901234567890,"t":" x "}'),
    });
  });

  it.each<[object, string]>([
    [{ Payload: 1 }, 'Format must be "JSON", "ASCII", "UTF8" or "BINARY"'],
    [{ Payload: 1, Format: 'json' }, 'Format must be'],
    [{ Payload: 1, Format: 'toString' }, 'Format must be'],
    [{ Payload: 1, Format: 10 }, 'Format must be'],
    [{ Payload: 1, Format: ['JSON'] }, 'Format must be'],
    [{ Format: 'JSON' }, 'Payload is missing'],
    [{ Format: 'ASCII' }, 'Payload is missing'],
    [{ Payload: null, Format: 'ASCII' }, 'Payload must be a string'],
    [{ Payload: 'é', Format: 'ASCII' }, 'Payload must be ASCII'],
    [{ Payload: '\ud800', Format: 'UTF8' }, 'Payload must be well-formed text'],
    [{ Payload: 'AAEC', Format: 'BINARY' }, 'Payload must be an array of whole numbers from 0 to 255'],
    [{ Payload: [0, 256], Format: 'BINARY' }, 'Payload must be an array'],
    [{ Payload: [0.5], Format: 'BINARY' }, 'Payload must be an array'],
    [{ Payload: [-1], Format: 'BINARY' }, 'Payload must be an array'],
  ])('%j is refused, in words', (body, what) => {
    expect(readOf(body)).toEqual({ ok: false, what: expect.stringContaining(what) });
  });

  it.each([
    ['JSON', (count: number) => 'x'.repeat(count - 2)],
    ['UTF8', (count: number) => `é${'x'.repeat(count - 2)}`],
    ['BINARY', (count: number) => Array(count).fill(255)],
  ])('has at most 65 535 octets: %s', (Format, of) => {
    expect(readOf({ Payload: of(MAX_PAYLOAD_OCTETS), Format }).ok).toBe(true);
    expect(readOf({ Payload: of(MAX_PAYLOAD_OCTETS + 1), Format })).toEqual({
      ok: false,
      what: 'Payload has 65536 octets; at most 65535 can be sent',
    });
  });
});

describe('a payload into a body', () => {
  it.each<[string, PayloadBlock, string]>([
    [
      'JSON, as the object wrote it',
      block(json, '{"n": 12345678901234567890}'),
      '"Payload":{"n": 12345678901234567890},"Format":"JSON"',
    ],
    ['ASCII', block(ascii, 'a"b'), '"Payload":"a\\"b","Format":"ASCII"'],
    ['UTF8', block(utf8, 'é'), '"Payload":"é","Format":"UTF8"'],
    ['BINARY', block(binary, Uint8Array.of(0, 255)), '"Payload":[0,255],"Format":"BINARY"'],
    ['empty ASCII', block(ascii, ''), '"Payload":"","Format":"ASCII"'],
    ['empty UTF8', block(utf8, ''), '"Payload":"","Format":"UTF8"'],
    ['nothing', block(binary, ''), '"Payload":null,"Format":"JSON"'],
    ['nothing as JSON', block(json, ''), '"Payload":null,"Format":"JSON"'],
  ])('%s', (_, each, members) => {
    expect(answerBody(0, each)).toBe(`{"Code":0,${members}}`);
    expect(webhookBody('ObjTest', each)).toBe(`{"UID":"ObjTest",${members}}`);
  });

  it('of no octets, where something went wrong, is null whatever its format', () => {
    expect(answerBody(160, block(binary, ''))).toBe('{"Code":160,"Payload":null,"Format":"JSON"}');
    expect(answerBody(161, block(utf8, ''))).toBe('{"Code":161,"Payload":null,"Format":"JSON"}');
    expect(answerBody(1, block(utf8, 'why'))).toBe('{"Code":1,"Payload":"why","Format":"UTF8"}');
  });

  it.each<[string, PayloadBlock]>([
    ['broken JSON', block(json, '{"a":')],
    ['JSON and more', block(json, '1,"Format":"ASCII"')],
    ['JSON that is not UTF-8', block(json, Uint8Array.of(0x22, 0xff, 0x22))],
    ['JSON after a byte order mark', block(json, '\ufeff1')],
    ['ASCII past 127', block(ascii, 'é')],
    ['UTF-8 that is none', block(utf8, Uint8Array.of(0xc3))],
    ['a format that nobody knows', block(5, 'x')],
  ])('is none for %s', (_, each) => {
    expect(answerBody(0, each)).toBeUndefined();
    expect(webhookBody('ObjTest', each)).toBeUndefined();
  });

  it('is as deep as a body may be that comes in', () => {
    const nested = (depth: number): PayloadBlock => block(json, `${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(answerBody(0, nested(MAX_BODY_DEPTH - 1))).toBeDefined();
    expect(answerBody(0, nested(MAX_BODY_DEPTH))).toBeUndefined();
    expect(answerBody(0, nested(32_000))).toBeUndefined();
  });

  it('that is not valid is told as 01', () => {
    expect(JSON.parse(notValidAnswer)).toEqual({ Code: 1, Payload: null, Format: 'JSON' });
  });

  it('names any UID', () => {
    expect(JSON.parse(webhookBody('a"\\\n', block(binary, ''))!)).toMatchObject({ UID: 'a"\\\n' });
  });
});

it('out of a body and back is the same, and any octets are a body or none', () => {
  const any = fc.record({
    format: fc.integer({ min: 0, max: 15 }),
    options: fc.constant(0),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.string({ unit: 'binary', maxLength: 20 }).map(octets),
      fc.json({ maxDepth: 3 }).map(octets),
    ),
  });
  let bodies = 0;
  fc.assert(
    fc.property(any, (each) => {
      const text = answerBody(0, each);
      if (text === undefined || each.data.length === 0) return;
      const again = read(text);
      if (each.format === json)
        expect(again.ok && payloadOf(again.block)).toEqual(payloadOf(each)); // blanks are left out
      else expect(again).toEqual({ ok: true, block: each });
      bodies += 1;
    }),
    { numRuns: 1_000 },
  );
  expect(bodies).toBeGreaterThan(100);
});
