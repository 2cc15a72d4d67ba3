import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConnectorMessage, decodeMessage, encodeMessage, payloadText } from '../../protocol/connector/message.js';
import { fuzz, hold } from './fuzzing.js';

interface Vector {
  readonly name: string;
  readonly text?: string;
  readonly hex?: string;
  readonly isBinary?: boolean;
  readonly value: { readonly kind: string; readonly value?: unknown; readonly answers?: unknown };
  readonly source: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/connector-messages.json', import.meta.url), 'utf8'),
) as readonly Vector[];

const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('what a device says', () => {
  test.each(vectors.map((each) => [each.name, each] as const))(
    '%s',
    (_name, { text, hex, isBinary = false, value }) => {
      const octets = text === undefined ? Buffer.from(hex!, 'hex') : octetsOf(text);
      const decoded = decodeMessage(octets, isBinary);
      expect(decoded).toMatchObject(value);
      if (value.kind === 'json' && value.answers === undefined) expect(decoded).toMatchObject({ answers: undefined });
    },
  );

  test('is never more than it says: "__proto__" changes no object', () => {
    const decoded = decodeMessage(octetsOf('{"__proto__":{"polluted":1},"constructor":{"polluted":1}}'), false);
    expect(decoded.kind).toBe('json');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('nested 32,000 deep is text', () => {
    for (const text of ['['.repeat(32_000) + ']'.repeat(32_000), '{"a":'.repeat(32_000), ']'.repeat(32_000)])
      expect(decodeMessage(octetsOf(text), false)).toEqual({ kind: 'text', text });
  });
});

const words = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '"id"',
  '"payload"',
  '\\',
  '\\u0000',
  '"__proto__"',
  '1e999',
  'null',
  '{"id":"',
];

fuzz('whatever a device says is decoded', {
  runs: 300_000,
  make: (dice) => {
    const buffer = Buffer.alloc(256);
    let length = 0;
    for (let part = dice.below(12); part > 0; part -= 1)
      if (dice.chance(25)) length = buffer.writeUInt8(dice.below(256), length);
      else length += buffer.write(dice.pick(words), length);
    return buffer.subarray(0, length);
  },
  check: (octets, dice) => {
    const isBinary = dice.chance(10);
    const decoded = decodeMessage(octets, isBinary);
    hold(!isBinary || decoded.kind === 'binary', 'octets are octets');
    if (decoded.kind === 'text') hold(octetsOf(decoded.text).length === octets.length, 'a text is whole');
    if (decoded.kind !== 'json') return;
    const { answers } = decoded;
    hold(answers === undefined || (typeof answers.id === 'string' && answers.id !== ''), 'an id is a text');
  },
});

describe('what a device is told', () => {
  const message: ConnectorMessage = {
    id: '6c0e7f4e-6c0f-4c1e-9c80-5d6d0f1b7b2a',
    payload: 'on',
    originRemoteAddress: '192.0.2.7',
    type: 'command',
    timestamp: 1_795_651_200,
  };

  test('has the names of wire/connector.md, in their order', () => {
    expect(encodeMessage(message)).toBe(
      '{"id":"6c0e7f4e-6c0f-4c1e-9c80-5d6d0f1b7b2a","payload":"on","origin_remote_address":"192.0.2.7","message_type":"command","timestamp":1795651200}',
    );
  });

  test('is JSON whatever its payload is, and an answer with it comes back whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('query', 'command', 'default'), (payload, type) => {
        const text = encodeMessage({ ...message, payload, type: type as ConnectorMessage['type'] });
        expect(decodeMessage(octetsOf(text), false)).toMatchObject({
          kind: 'json',
          value: { message_type: type },
          answers: { id: message.id, payload },
        });
      }),
    );
  });
});

test.each([
  ['text', 'text'],
  ['', ''],
  [undefined, ''],
  [null, 'null'],
  [7, '7'],
  [{ a: [1] }, '{"a":[1]}'],
])('the payload %j as text is %j', (payload, text) => {
  expect(payloadText(payload)).toBe(text);
});
