import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../protocol/octets.js';
import { decodeMessage, encodeMessage, type Message } from '../../protocol/yamqtt/message.js';
import { MessageReader } from '../../protocol/yamqtt/message-reader.js';
import {
  type Action,
  actionOctets,
  FLOW_IS_NO_NUMBER,
  FLOW_IS_OUT_OF_RANGE,
  flowAt,
  HEAD_OCTETS,
  MAX_FLOW,
  MESSAGE_OCTETS,
  NO_FLOW,
  RECORD_OCTETS,
  writeHead,
} from '../../protocol/yamqtt/records.js';
import { textData, textOf } from '../../protocol/yamqtt/text.js';
import { fuzz, hold } from './fuzzing.js';
import { type Dice, mutated, piecesOf } from './mutations.js';
import { describeStream, type Vector, vectorsOf } from './stream-vectors.js';

/** The octets that count of each record; the rest of it is `fill`, by default `00`. */
interface MessageVector extends Vector {
  readonly records: readonly [action: string, flow: string, data: string];
  readonly fill?: string;
  /** Its head is not as it would be encoded. */
  readonly rewritten?: boolean;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const padded = (hex: string, fill: string): string => hex + fill.repeat(RECORD_OCTETS - hex.length / 2);

const vectors = vectorsOf<MessageVector>('yamqtt-messages.json').map((vector) => {
  const fill = vector.fill ?? '00';
  const value = vector.value as { readonly data: string } | undefined;
  return {
    ...vector,
    hex: vector.records.map((record) => padded(record, fill)).join(''),
    ...(value === undefined ? {} : { value: { ...value, data: padded(value.data, fill) } }),
  };
});

interface JsonMessage {
  readonly action: Action;
  readonly flow: number;
  readonly data: string;
}

const isCanonical = ({ fill, rewritten }: MessageVector): boolean => fill === undefined && rewritten !== true;

describeStream<Message>(
  'message',
  vectors.filter((vector) => isCanonical(vector) || vector.error !== undefined),
  {
    decode: decodeMessage,
    encode: ({ action, flow, data }) => encodeMessage(action, flow, data),
    fromJson: (value) => {
      const { data, ...rest } = value as JsonMessage;
      return { ...rest, data: fromHex(data) };
    },
  },
  vectors[0]!.hex,
);

test.each(vectors.filter((vector) => !isCanonical(vector) && vector.error === undefined))(
  '$name: what counts is read, and is all that is written again, but for the data',
  ({ hex, value }) => {
    const { action, flow, data } = value as JsonMessage;
    const octets = fromHex(hex);
    expect(decodeMessage(octets)).toMatchObject({ kind: 'frame', value: { action, flow, data: fromHex(data) } });
    const relayed = octets.slice();
    writeHead(relayed, 0, action, flow);
    expect(toHex(relayed)).toBe(toHex(encodeMessage(action, flow, fromHex(data))));
    expect(toHex(relayed.subarray(HEAD_OCTETS))).toBe(hex.slice(2 * HEAD_OCTETS));
  },
);

const record = (text: string): Uint8Array => concat(new TextEncoder().encode(text), new Uint8Array(RECORD_OCTETS));

test('every flow is written and read, and nothing past the last one', () => {
  const octets = new Uint8Array(MESSAGE_OCTETS);
  for (let flow = NO_FLOW; flow <= MAX_FLOW; flow += 1) {
    octets.fill(0xa5, 0, HEAD_OCTETS);
    writeHead(octets, 0, 'message', flow);
    hold(flowAt(octets, 0) === flow, `flow ${flow}`);
    hold(octets[0] === 0x6d && octets.indexOf(0xa5) === -1, `the head of flow ${flow}`);
  }
  expect(new TextDecoder().decode(octets.subarray(RECORD_OCTETS, RECORD_OCTETS + 6))).toBe('65535\0');
  octets.set(record('65536').subarray(0, RECORD_OCTETS), RECORD_OCTETS);
  expect(flowAt(octets, 0)).toBe(FLOW_IS_OUT_OF_RANGE);
  octets.set(record('0000065535').subarray(0, RECORD_OCTETS), RECORD_OCTETS);
  expect(flowAt(octets, 0)).toBe(MAX_FLOW);
  octets.set(record('00000065535').subarray(0, RECORD_OCTETS), RECORD_OCTETS);
  expect(flowAt(octets, 0)).toBe(FLOW_IS_NO_NUMBER);
});

test.each([
  ['a flow', -1, 0],
  ['a flow', MAX_FLOW + 1, 0],
  ['a flow', 1.5, 0],
  ['a flow', Number.NaN, 0],
  ['at most 1024 octets', 1, RECORD_OCTETS + 1],
] as const)('%s is asked for: not flow %s with %s octets of data', (text, flow, octets) => {
  expect(() => encodeMessage('publish', flow, new Uint8Array(octets))).toThrow(text);
});

test('data fill their record to the last octet', () => {
  const data = new Uint8Array(RECORD_OCTETS).fill(0xee);
  expect(encodeMessage('publish', 1, data).subarray(HEAD_OCTETS)).toEqual(data);
});

test.each([
  ['ended by 00', '6f6e00ff', 'on'],
  ['not ended', '6f6e', 'on'],
  ['empty', '00', ''],
  ['UTF-8', 'c3a900', 'é'],
  ['no UTF-8', 'ff00', '\ufffd'],
])('text in data: %s', (_, hex, text) => {
  expect(textOf(fromHex(hex))).toBe(text);
  expect(textOf(encodeMessage('message', 1, textData('é')).subarray(HEAD_OCTETS))).toBe('é');
});

// The stream.

/** What a reader hands on of these pieces, as one text of octets each message, and what it keeps at most. */
function read(pieces: readonly Uint8Array[]): { readonly messages: Uint8Array[]; readonly kept: number } {
  const messages: Uint8Array[] = [];
  let kept = 0;
  const reader = new MessageReader((octets, start, end) => {
    hold(end > start && (end - start) % MESSAGE_OCTETS === 0, 'whole messages are handed on');
    for (let at = start; at < end; at += MESSAGE_OCTETS) messages.push(octets.slice(at, at + MESSAGE_OCTETS));
    // They are the receiver's.
    octets.fill(0xff, start, end);
  });
  for (const piece of pieces) {
    reader.push(piece.slice());
    kept = Math.max(kept, reader.pending);
  }
  return { messages, kept };
}

describe('a stream', () => {
  const all = vectors.map(({ hex }) => fromHex(hex));
  const octets = concat(...all);
  const shown = (messages: readonly Uint8Array[]): string[] => messages.map(toHex);

  test('is the same messages, wherever it is cut', () => {
    const three = concat(...all.slice(0, 3));
    for (let end = 0; end <= three.length; end += 1) {
      const { messages } = read([three.subarray(0, end), three.subarray(end)]);
      hold(messages.length === 3 && messages.every((each, index) => equal(each, all[index]!)), `cut at ${end}`);
    }
  });

  test('is the same messages, one octet at a time', () => {
    const { messages, kept } = read(Array.from(octets, (octet) => Uint8Array.of(octet)));
    expect(shown(messages)).toEqual(shown(all));
    expect(kept).toBe(MESSAGE_OCTETS - 1);
  });

  test('is handed on where it lies, but for a message that spans chunks', () => {
    const given: [Uint8Array, number, number][] = [];
    const reader = new MessageReader((...whole) => void given.push(whole));
    const first = octets.slice(0, 2 * MESSAGE_OCTETS + 5);
    const second = octets.slice(first.length, 5 * MESSAGE_OCTETS);
    reader.push(first);
    reader.push(second);
    expect(given.map(([, start, end]) => [start, end])).toEqual([
      [0, 2 * MESSAGE_OCTETS],
      [0, MESSAGE_OCTETS],
      [MESSAGE_OCTETS - 5, second.length],
    ]);
    expect([given[0]![0] === first, given[2]![0] === second, reader.pending]).toEqual([true, true, 0]);
    expect(given[1]![0].buffer.byteLength).toBe(MESSAGE_OCTETS);
  });
});

// A million of inputs.

const valid = vectors.map(({ hex }) => fromHex(hex));
/** What the second record begins with; the rest of it is one octet, over and over. */
const beginnings = vectors.map(({ records }) => fromHex(records[1]));
const letters = Object.values(actionOctets);
/** Around what makes a digit, a number and its end. */
const edges = [0, 0x20, 0x2b, 0x2d, 0x2f, 0x30, 0x31, 0x36, 0x39, 0x3a, 0x80, 0xff];
/** Of the second record: more than a flow has digits. */
const MUTATED_OCTETS = 14;
const scratch = new Uint8Array(MESSAGE_OCTETS);

/** A message with a mutated flow, made in place: to make room for each takes longer than all the rest. */
function messageOf(dice: Dice): Uint8Array {
  scratch.fill(dice.pick([0, 0, 0x30, 0x39, 0xff]), RECORD_OCTETS, RECORD_OCTETS + MUTATED_OCTETS);
  scratch.set(dice.pick(beginnings), RECORD_OCTETS);
  for (let left = dice.below(4); left > 0; left -= 1)
    scratch[RECORD_OCTETS + dice.below(MUTATED_OCTETS)] = dice.chance(90) ? dice.pick(edges) : dice.below(256);
  scratch[0] = dice.chance(5) ? dice.below(256) : dice.pick(letters);
  return scratch;
}

/** The same rule, in another way. */
function flowByText(octets: Uint8Array): number {
  let text = '';
  for (let at = RECORD_OCTETS; octets[at] !== 0 && text.length < 11; at += 1) text += String.fromCharCode(octets[at]!);
  if (!/^\d{1,10}$/.test(text)) return FLOW_IS_NO_NUMBER;
  return Number(text) > MAX_FLOW ? FLOW_IS_OUT_OF_RANGE : Number(text);
}

fuzz('message', {
  runs: 980_000,
  make: messageOf,
  check: (octets, dice) => {
    const flow = flowAt(octets, 0);
    hold(flow === flowByText(octets), 'its flow is what the rule says');
    // An error costs more than all the rest.
    if (flow < 0 && !dice.chance(10)) return;
    const result = decodeMessage(octets);
    const isKnown = letters.some((letter) => letter === octets[0]);
    const means = octets[0] !== actionOctets.disconnect && octets[0] !== actionOctets.error;
    hold(
      (result.kind === 'frame') === (isKnown && (flow >= 0 || !means)),
      'what is right is taken, what is not is refused',
    );
    if (result.kind === 'frame') hold(result.value.flow === Math.max(flow, 0), 'both read the same flow');
  },
});

fuzz('stream', {
  runs: 20_000,
  make: (dice) => mutated(dice, valid),
  check: (octets, dice) => {
    const first = dice.below(MESSAGE_OCTETS);
    const pieces = dice.chance(2)
      ? piecesOf(dice, octets)
      : [octets.subarray(0, first), octets.subarray(first), valid[0]!];
    const given = concat(...pieces);
    const { messages, kept } = read(pieces);
    hold(messages.length === Math.floor(given.length / MESSAGE_OCTETS), 'every message comes, and none twice');
    hold(kept < MESSAGE_OCTETS, 'less than a message is kept');
    for (const [index, each] of messages.entries())
      hold(equal(each, given.subarray(index * MESSAGE_OCTETS, (index + 1) * MESSAGE_OCTETS)), 'octet for octet');
  },
});
