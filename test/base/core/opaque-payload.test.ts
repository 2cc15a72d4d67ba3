import { expect, test } from 'vitest';
import { MAX_PAYLOAD_DEPTH, payloadFrom } from '../../../base/core/opaque-payload.js';

const block = (format: number, text: string) => ({ format, options: 0, data: new TextEncoder().encode(text) });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

test.each([
  [block(0, 'ab'), { format: 'binary', value: [97, 98] }],
  [block(1, 'ab'), { format: 'ascii', value: 'ab' }],
  [block(2, 'ä'), { format: 'utf8', value: 'ä' }],
  [block(10, '{"a":[1]}'), { format: 'json', value: { a: [1] } }],
])('%j is %j', (opaque, payload) => {
  expect(payloadFrom(opaque)).toEqual(payload);
  expect(payloadFrom(payloadFrom(opaque))).toEqual(payload);
});

test.each([
  ['ASCII with an octet above 127', block(1, 'ä'), [0xc3, 0xa4]],
  ['UTF-8 that is none', { format: 2, options: 0, data: Uint8Array.of(0xff) }, [0xff]],
  ['JSON that is none', block(10, '{'), [0x7b]],
  ['JSON that is no UTF-8', { format: 10, options: 0, data: Uint8Array.of(0x22, 0xff, 0x22) }, [0x22, 0xff, 0x22]],
  ['a format that nobody knows', block(7, 'a'), [0x61]],
])('%s is binary', (_, opaque, value) => {
  expect(payloadFrom(opaque)).toEqual({ format: 'binary', value });
});

test(`JSON may be nested ${MAX_PAYLOAD_DEPTH} deep; deeper it is text, however deep, whether it is parsed yet or not`, () => {
  const [just, past] = [nested(MAX_PAYLOAD_DEPTH), nested(MAX_PAYLOAD_DEPTH + 1)];
  expect(payloadFrom(block(10, just)).format).toBe('json');
  expect(payloadFrom(block(10, past))).toEqual({ format: 'utf8', value: past });
  expect(payloadFrom({ format: 'json', value: JSON.parse(just) }).format).toBe('json');
  expect(payloadFrom({ format: 'json', value: JSON.parse(past) })).toEqual({ format: 'utf8', value: past });
  const deepest = nested(32_767);
  expect(payloadFrom(block(10, deepest))).toEqual({ format: 'utf8', value: deepest });
  expect(payloadFrom({ format: 'json', value: JSON.parse(deepest) }).format).toBe('utf8');
});
