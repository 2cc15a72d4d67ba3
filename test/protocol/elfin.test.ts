import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUserSecret, isUserUuid } from '../../protocol/elfin/account.js';
import {
  decodeDeviceList,
  decodeStatus,
  encodeDeviceList,
  FAILED,
  type ListedDevice,
  SUCCESS,
} from '../../protocol/elfin/answers.js';
import { LineReader, type LineSink } from '../../protocol/elfin/line-reader.js';
import { macOf } from '../../protocol/elfin/mac.js';
import {
  type ControlMessage,
  type DataHead,
  decodeControl,
  decodeDataHead,
  encodeControl,
  encodeDataLineHead,
  encodeDataSegment,
  LINE_END,
  MAX_CONTROL_OCTETS,
} from '../../protocol/elfin/message.js';
import { BAD_HEAD, controlEnd, NO_DATA, payloadStart } from '../../protocol/elfin/segment.js';
import { ProtocolError } from '../../protocol/errors.js';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { countInputs, fuzz, hold } from './fuzzing.js';
import { mutated, piecesOf } from './mutations.js';

const inputs = countInputs();

interface Vector {
  readonly name: string;
  readonly text: string;
  /** Of data, in hexadecimal digits. */
  readonly payload?: string;
  readonly value?: unknown;
  readonly error?: string;
  readonly source: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/elfin-messages.json', import.meta.url), 'utf8'),
) as readonly Vector[];
const octetsOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

/** Tells what it was told, payloads joined; and stops as often as it is told to. */
class Told implements LineSink {
  readonly said: string[] = [];
  readonly #goesOn: () => boolean;

  constructor(goesOn: () => boolean = () => true) {
    this.#goesOn = goesOn;
  }

  control(octets: Uint8Array, start: number, end: number): boolean {
    this.said.push(textOf(octets.subarray(start, end)));
    return this.#goesOn();
  }

  data(octets: Uint8Array, start: number, end: number, length: number): boolean {
    this.said.push(`${textOf(octets.subarray(start, end))} ${length}: `);
    return this.#goesOn();
  }

  payload(octets: Uint8Array, start: number, end: number): boolean {
    this.said[this.said.length - 1] += toHex(octets.subarray(start, end));
    return this.#goesOn();
  }
}

/** All of it, in pieces; the code with which it ends, if it does. */
function read(reader: LineReader, pieces: readonly Uint8Array[], told: Told): string | undefined {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const came = reader.read(piece, at, told);
      if (typeof came !== 'number') return came.code;
      if (came <= at) throw new Error('it does not get on');
      at = came;
    }
  }
  return undefined;
}

describe.each(vectors.filter(({ error }) => error === undefined))('$name ($source)', ({ text, payload, value }) => {
  test('decodes, and encodes again', () => {
    if (payload === undefined) {
      expect(decodeControl(octetsOf(text))).toEqual(value);
      expect(textOf(encodeControl(value as ControlMessage, 'segment'))).toBe(textOf(octetsOf(text)));
      expect(textOf(encodeControl(value as ControlMessage))).toBe(`${textOf(octetsOf(text))}\n`);
      return;
    }
    const segment = concat(octetsOf(text), fromHex(payload));
    const start = payloadStart(segment);
    expect([start, toHex(segment.subarray(start))]).toEqual([octetsOf(text).length, payload]);
    expect(decodeDataHead(segment, 0, start)).toEqual(value);
    expect(toHex(encodeDataSegment(value as DataHead, fromHex(payload)))).toBe(toHex(segment));
    const line = encodeDataLineHead(value as DataHead, payload.length / 2);
    expect(textOf(line)).toBe(`${textOf(octetsOf(text))}${payload.length / 2};`);
  });

  test('in the middle of a segment it is the same', () => {
    const padded = concat(octetsOf('xx'), octetsOf(text), octetsOf('yy'));
    const decode = payload === undefined ? decodeControl : decodeDataHead;
    expect(decode(padded, 2, padded.length - 2)).toEqual(value);
  });
});

test.each(vectors.filter(({ error }) => error !== undefined))(
  '$name is refused ($source)',
  ({ text, payload, error }) => {
    const segment = concat(octetsOf(text), fromHex(payload ?? ''));
    const start = payloadStart(segment);
    const result =
      start === NO_DATA ? decodeControl(segment) : start === BAD_HEAD ? undefined : decodeDataHead(segment, 0, start);
    expect(result === undefined ? 'frame-malformed' : (result as ProtocolError).code).toBe(error);
  },
);

describe('a segment', () => {
  test('has a head of so many octets, and none of one more', () => {
    const head = (length: number): Uint8Array => octetsOf(`data;u;m;${'h'.repeat(length - 11)};0`);
    const whole = (length: number): Uint8Array => concat(head(length - 1), octetsOf(';rest'));
    expect(head(511).length).toBe(511);
    expect(payloadStart(whole(MAX_CONTROL_OCTETS))).toBe(MAX_CONTROL_OCTETS);
    expect(payloadStart(whole(MAX_CONTROL_OCTETS + 1))).toBe(BAD_HEAD);
    expect(payloadStart(whole(21), 20)).toBe(BAD_HEAD);
    expect(payloadStart(whole(20), 20)).toBe(20);
  });

  test.each([
    ['query;u\r\n', 7],
    ['query;u\n\n\r', 7],
    ['query;u', 7],
    ['\r\n', 0],
    ['', 0],
  ])('%j ends at %i', (text, end) => {
    expect(controlEnd(octetsOf(text))).toBe(end);
  });
});

const stream = concat(
  octetsOf('query;u\nbeat;u;F0FE6B010203;h;0\r\n\ndata;u;F0FE6B010203;h;0;5;'),
  fromHex('0a3bff0d0a'),
  octetsOf('\nhello\ndata;u;x;x;1;0;\ndata;u;x;x;1;12;data;u;x;x;1\nconnme;u:secret-1;F0FE6B010203\n'),
);
const said = [
  'query;u',
  'beat;u;F0FE6B010203;h;0',
  '',
  'data;u;F0FE6B010203;h;0; 5: 0a3bff0d0a',
  'hello',
  'data;u;x;x;1; 0: ',
  `data;u;x;x;1; 12: ${toHex(octetsOf('data;u;x;x;1'))}`,
  'connme;u:secret-1;F0FE6B010203',
];

describe('lines', () => {
  test('are read whole', () => {
    const told = new Told();
    expect(read(new LineReader(), [stream], told)).toBeUndefined();
    expect(told.said).toEqual(said);
  });

  test('cut in two anywhere, in three anywhere near, and one octet at a time they are the same', () => {
    for (let first = 0; first <= stream.length; first += 1) {
      for (const second of [first, first + 1, first + 7, stream.length]) {
        const told = new Told();
        const pieces = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)];
        const reader = new LineReader();
        expect(read(reader, pieces, told)).toBeUndefined();
        if (told.said.join('|') !== said.join('|'))
          throw new Error(`cut at ${first} and ${second}: ${told.said.join('|')}`);
        expect(reader.pending).toBe(0);
      }
    }
    const told = new Told();
    read(
      new LineReader(),
      Array.from(stream, (octet) => Uint8Array.of(octet)),
      told,
    );
    expect(told.said).toEqual(said);
  });

  test('are the same when the sink stops after each of them', () => {
    const told = new Told(() => false);
    expect(read(new LineReader(), [stream], told)).toBeUndefined();
    expect(told.said).toEqual(said);
  });

  test.each([
    ['query;u', 7],
    ['query;u\n', 7],
    ['query;u\r', 7],
    ['query;u\r\n', 7],
    ['data;u;m;h;0;', 13],
    ['data;u;m;h;0;4294967295', 13],
    ['data;u;m;h;0;4294967295;', 13],
  ])('%j is no longer than %i octets, and longer than one fewer', (text, max) => {
    const cuts = [[octetsOf(text)], Array.from(octetsOf(text), (octet) => Uint8Array.of(octet))];
    for (const pieces of cuts) {
      expect(read(new LineReader(max), pieces, new Told())).toBeUndefined();
      expect(read(new LineReader(max - 1), pieces, new Told())).toBe('frame-too-long');
    }
  });

  test('of 2^32 - 1 octets is announced, of one more not', () => {
    const told = new Told();
    expect(read(new LineReader(), [octetsOf('data;u;x;x;1;4294967295;a')], told)).toBeUndefined();
    expect(told.said).toEqual(['data;u;x;x;1; 4294967295: 61']);
    expect(read(new LineReader(), [octetsOf('data;u;x;x;1;4294967296;a')], told)).toBe('frame-malformed');
  });

  test.each([
    'data;u;x;x;1;;',
    'data;u;x;x;1;-1;',
    'data;u;x;x;1; 1;',
    'data;u;x;x;1;1\n',
    'data;u;x;x;1;00000000001;',
    'data;u;x;x;1\n',
    'data;u;x;x;1;1;a;',
    'data;u;x;x;1;1;a\r\n',
    'data;u;x;x;1;0;x',
  ])('%j makes no sense, and nothing behind it does', (text) => {
    for (const pieces of [[octetsOf(text)], Array.from(octetsOf(text), (octet) => Uint8Array.of(octet))]) {
      const reader = new LineReader();
      expect(read(reader, pieces, new Told())).toBe('frame-malformed');
      const told = new Told();
      expect([read(reader, [octetsOf('query;u\n')], told), told.said]).toEqual(['frame-malformed', []]);
    }
  });

  test('keep nothing of a payload, and of a head what has come of it', () => {
    const reader = new LineReader();
    read(reader, [octetsOf('data;u;x;x;1;100')], new Told());
    expect(reader.pending).toBe(16);
    read(reader, [concat(octetsOf('000;'), new Uint8Array(90_000))], new Told());
    expect(reader.pending).toBe(0);
  });
});

const valid = [
  ...vectors.map(({ text, payload }) =>
    payload === undefined
      ? octetsOf(`${text}\n`)
      : concat(octetsOf(`${text}${payload.length / 2};`), fromHex(payload), LINE_END),
  ),
  stream,
];

fuzz('elfin segments', {
  runs: 400_000,
  make: (dice) => mutated(dice, valid),
  check: (octets, dice) => {
    const max = dice.chance(50) ? MAX_CONTROL_OCTETS : 24;
    const start = payloadStart(octets, max);
    hold(start <= Math.min(octets.length, max), 'a head is no longer than it may be');
    if (start === BAD_HEAD) return;
    const end = start === NO_DATA ? controlEnd(octets) : start;
    const value = start === NO_DATA ? decodeControl(octets, 0, end) : decodeDataHead(octets, 0, end);
    if (value instanceof ProtocolError) return hold(value.message !== '', 'it says what is wrong');
    hold(isUserUuid(value.account.uuid), 'a uuid is one');
  },
});

fuzz('elfin lines', {
  runs: 600_000,
  make: (dice) => mutated(dice, valid),
  check: (octets, dice) => {
    const max = dice.chance(50) ? MAX_CONTROL_OCTETS : 24;
    const reader = new LineReader(max);
    let [heads, announced, came] = [0, 0, 0];
    const sink: LineSink = {
      control: (chunk, start, end) => {
        heads += 1;
        hold(start >= 0 && end <= chunk.length && end - start <= max, 'a line is no longer than it may be');
        return true;
      },
      data: (chunk, start, end, length) => {
        heads += 1;
        hold(end - start <= max && chunk[end - 1] === 0x3b, 'a head ends in its fifth semicolon');
        hold(announced === came, 'data comes whole');
        announced += length;
        return true;
      },
      payload: (_chunk, start, end) => {
        came += end - start;
        hold(end > start && came <= announced, 'no more comes than was announced');
        return true;
      },
    };
    const whole = reader.read(octets, 0, sink);
    hold(reader.pending <= max + 12, 'no more than a head is kept');
    if (!dice.chance(10)) return;
    const [headsWhole, cameWhole] = [heads, came];
    [heads, announced, came] = [0, 0, 0];
    const pieces = new LineReader(max);
    for (const piece of piecesOf(dice, octets)) {
      const read = pieces.read(piece, 0, sink);
      hold(pieces.pending <= max + 12, 'no more than a head is kept');
      if (typeof read === 'number') continue;
      hold(typeof whole !== 'number' && whole.code === read.code, 'in pieces it is refused as it is whole');
      return;
    }
    hold(typeof whole === 'number' && heads === headsWhole && came === cameWhole, 'in pieces it is the same');
  },
});

test('a million mutated inputs went through both', () => {
  expect(inputs()).toBe(1_000_000);
});

describe('a MAC', () => {
  test.each(['f0fe6b01020a', 'F0FE6B01020A', 'f0:fe:6b:01:02:0a', 'F0-FE-6B-01-02-0A', 'f0-FE-6b-01-02-0A'])(
    'is %s',
    (text) => {
      expect(macOf(text)).toBe('F0:FE:6B:01:02:0A');
    },
  );

  test.each([
    '',
    'f0fe6b01020',
    'f0fe6b01020a0',
    'f0:fe:6b:01:02-0a',
    'f0fe:6b01:020a',
    'g0fe6b01020a',
    'f0fe6b01020a\n',
  ])('is not %j', (text) => {
    expect(macOf(text)).toBeUndefined();
  });
});

describe('an account', () => {
  test.each([
    ['u', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['', false],
    ['a;b', false],
    ['a:b', false],
    ['a\tb', false],
    ['a b', true],
    ['\u{fffd}', false],
    ['..', false],
    ['ő', true],
  ])('%j is a uuid: %s', (text, is) => {
    expect(isUserUuid(text)).toBe(is);
  });

  test.each([
    ['x'.repeat(7), false],
    ['x'.repeat(8), true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['with;semicolon', false],
    ['with:colon', true],
    ['line\nfeed', false],
  ])('%j is a secret: %s', (text, is) => {
    expect(isUserSecret(text)).toBe(is);
  });
});

describe('encoding', () => {
  const account = { uuid: 'u' };

  test.each([
    ['a uuid that is none', () => encodeControl({ kind: 'query', account: { uuid: 'a;b' } })],
    ['a secret that is none', () => encodeControl({ kind: 'query', account: { uuid: 'u', secret: 'short' } })],
    ['a MAC that is none', () => encodeControl({ kind: 'connme', account, mac: 'x' })],
    [
      'a host with a semicolon',
      () => encodeControl({ kind: 'beat', account, mac: 'F0FE6B010203', host: 'a;b', type: '0' }),
    ],
    ['a type with a line feed', () => encodeDataSegment({ account, mac: 'x', host: '', type: 'a\n' }, Uint8Array.of())],
    ['a length that is none', () => encodeDataLineHead({ account, mac: 'x', host: '', type: '1' }, 2 ** 32)],
    ['a head that is too long', () => encodeDataLineHead({ account, mac: 'x'.repeat(600), host: '', type: '1' }, 1)],
  ])('refuses %s', (_what, encode) => {
    expect(encode).toThrow(RangeError);
  });

  test('and decoding is the identity, in lines, however they are cut', () => {
    const field = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[;\r\n\ufffd]/.test(text));
    fc.assert(
      fc.property(field, field, fc.uint8Array({ maxLength: 300 }), fc.nat(400), (host, type, payload, cut) => {
        const head = { account: { uuid: 'u', secret: 'longenough' }, mac: 'F0FE6B010203', host, type };
        const octets = concat(encodeDataLineHead(head, payload.length), payload, LINE_END);
        let decoded: unknown;
        let came: number[] = [];
        const sink: LineSink = {
          control: () => false,
          data: (chunk, start, end) => {
            decoded = decodeDataHead(chunk, start, end);
            return true;
          },
          payload: (chunk, start, end) => {
            came = [...came, ...chunk.subarray(start, end)];
            return true;
          },
        };
        const reader = new LineReader();
        reader.read(octets.subarray(0, cut), 0, sink);
        reader.read(octets.subarray(cut), 0, sink);
        expect([decoded, came]).toEqual([head, [...payload]]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('answers', () => {
  test('tell whether there is a tunnel', () => {
    expect([SUCCESS, FAILED].map(decodeStatus)).toEqual([true, false]);
    for (const line of ['', '{}', '[]', 'null', '{"status":"maybe"}']) expect(decodeStatus(line)).toBeUndefined();
  });

  test('tell devices', () => {
    const device: ListedDevice = { hostname: 'h', macaddress: 'm', lastseendate: 'now', status: 'online' };
    expect(encodeDeviceList([device])).toBe(
      '[{"hostname":"h","macaddress":"m","lastseendate":"now","status":"online"}]\n',
    );
    expect(decodeDeviceList(encodeDeviceList([device]))).toEqual([device]);
    expect(decodeDeviceList('[]')).toEqual([]);
    for (const line of ['', '{}', '[1]', '[{"hostname":"h"}]']) expect(decodeDeviceList(line)).toBeUndefined();
  });
});
