import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { decodeDescribePiece, encodeDescribe } from '../../../protocol/unit/system-messages.js';
import { DrivenUnit, dataOf, type Happened, ScriptedBase, trackingOf } from '../runtime/driven-unit.js';
import { root } from './chip-build.js';
import { startOnChip } from './chip-run.js';
import { emulatedProgram, exampleIncludes, ownSources } from './emulated.js';

const vectorsOf = <Vectors>(file: string): Vectors =>
  JSON.parse(readFileSync(join(root, 'test', 'vectors', file), 'utf8')) as Vectors;

let program: string;
beforeAll(async () => {
  program = await emulatedProgram('session', ownSources('session'), exampleIncludes(['led-lamp']));
}, 180_000);

let unit: DrivenUnit;
beforeEach(() => {
  unit = new DrivenUnit(startOnChip(program));
});
afterEach(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));

interface SessionVectors {
  readonly steps: readonly { readonly from: 'unit' | 'base'; readonly what: string; readonly hex: string }[];
}

/** What the vectors' unit does of itself: it measures, or time passes. */
async function happensBefore(what: string): Promise<Happened> {
  if (what.startsWith('ping after')) return unit.pass(15_000);
  if (what.startsWith('report')) await unit.do('state 1 2 3 50');
  return unit.loop();
}

test('the session of the vectors goes octet by octet, and one octet at a time', async () => {
  const { steps } = vectorsOf<SessionVectors>('unit-session.json');
  await unit.start('lamp');
  await unit.do('connect 0');
  let written = toHex((await unit.loop()).out(0));
  for (const { from, what, hex } of steps) {
    if (from === 'unit') {
      written += toHex((await happensBefore(what)).out(0));
      expect(written.slice(0, hex.length), what).toBe(hex);
      written = written.slice(hex.length);
    } else {
      expect(written, `nothing more before ${what}`).toBe('');
      for (const octet of fromHex(hex)) written += toHex((await unit.give(0, Uint8Array.of(octet), 1)).out(0));
      written += toHex((await unit.loop(3)).out(0));
    }
  }
  expect(written).toBe('');
  expect((await unit.do('counters')).events).toContain('served 0');
});

interface MessageVector {
  readonly name: string;
  readonly message: string;
  readonly hex: string;
  readonly value?: unknown;
  readonly isDecodedOnly?: true;
}

const messages = vectorsOf<readonly MessageVector[]>('unit-messages.json');
const valid = (message: string): MessageVector[] =>
  messages.filter((one) => one.message === message && one.value !== undefined && one.isDecodedOnly !== true);
/** What a unit understands, or says, in one message. */
const meaningOf = <Value>({ value }: MessageVector): Value => value as Value;

interface HelloValue {
  readonly fingerprint: string;
  readonly boot: number;
  readonly nonce: number;
  readonly kind: string;
  readonly resetReason: number;
  readonly freeHeap?: number;
  readonly definition: string;
  readonly version: string;
}

const hexOf = (text: string): string => Buffer.from(text, 'utf8').toString('hex');

describe('messages of the vectors', () => {
  test.each(valid('hello'))('the unit says: $name', async (vector) => {
    const hello = meaningOf<HelloValue>(vector);
    const nonce = Buffer.alloc(4);
    nonce.writeUInt32LE(hello.nonce);
    await unit.do(`stored ${hello.boot - 1}`);
    await unit.do(`heap ${hello.freeHeap ?? 0}`);
    await unit.do(`reset-reason ${hello.resetReason}`);
    await unit.do(`random ${nonce.toString('hex')}`);
    const kind = hello.kind === 'read' ? 0 : 1;
    await unit.do(`described ${hexOf(hello.definition)} ${hexOf(hello.version)} ${hello.fingerprint} ${kind}`);
    const { transmissions } = await new ScriptedBase(unit).open();
    expect(toHex(dataOf(transmissions[0]))).toBe(vector.hex);
  });

  test.each(valid('helloAnswer'))('the unit takes: $name', async (vector) => {
    await unit.start('lamp');
    const base = new ScriptedBase(unit);
    const { transmissions } = await base.open();
    await base.answer(trackingOf(transmissions[0]), 0, fromHex(vector.hex));
    const { timeMs } = meaningOf<{ readonly timeMs: number }>(vector);
    expect((await unit.do('counters')).events).toEqual(['served 1', `unix ${timeMs}`]);
  });

  test('an answer to the hello that is cut at any octet serves nobody', async () => {
    await unit.start('lamp');
    const whole = fromHex(valid('helloAnswer')[0]!.hex);
    for (let end = 1; end < whole.length; end += 1) {
      const base = new ScriptedBase(unit, end % 2);
      const { transmissions } = await base.open();
      await base.answer(trackingOf(transmissions[0]), 0, whole.subarray(0, end));
      expect((await unit.do('counters')).events[0], `${end} octets`).toBe('served 0');
      await unit.do(`end ${end % 2}`);
      await unit.loop(3);
    }
  });

  test.each(valid('nextBoot'))('the unit takes: $name', async (vector) => {
    await unit.start('lamp');
    const base = new ScriptedBase(unit);
    const { transmissions } = await base.open();
    const { events } = await base.answer(trackingOf(transmissions[0]), 1, fromHex(vector.hex));
    expect(events).toContain(`boot ${meaningOf<number>(vector)}`);
  });

  test.each(valid('describe'))('the unit answers: $name', async (vector) => {
    await unit.do('described 64 76 0000000000000000 0');
    const base = new ScriptedBase(unit);
    await base.serve();
    const offset = meaningOf<number>(vector);
    const whole = Array.from({ length: 700 }, (_, index) => String.fromCharCode(0x61 + (index % 26))).join('');
    let text = whole.slice(0, offset);
    // As much at a time as the unit's own memory of a transmission holds.
    while (text.length < whole.length) {
      const { transmissions } = await base.request(7, encodeDescribe(text.length));
      const piece = decodeDescribePiece(dataOf(transmissions[0]));
      expect(piece.total).toBe(whole.length);
      expect(piece.octets.length).toBeGreaterThan(0);
      text += Buffer.from(piece.octets).toString('ascii');
    }
    expect(text).toBe(whole);
    expect(toHex(encodeDescribe(offset))).toBe(vector.hex);
  });

  test.each(valid('restart'))('the unit does: $name', async (vector) => {
    await unit.start('lamp');
    const base = new ScriptedBase(unit);
    await base.serve();
    await base.request(7, fromHex(vector.hex));
    const delayMs = meaningOf<number>(vector);
    expect((await unit.pass(delayMs - 1)).events).not.toContain('restart 0');
    expect((await unit.pass(1)).events).toContain('restart 0');
  });

  test.each(valid('log'))('the unit says: $name', async (vector) => {
    const { level, text } = meaningOf<{ readonly level: string; readonly text: string }>(vector);
    await unit.start('lamp');
    const base = new ScriptedBase(unit);
    await base.serve();
    await unit.do(`log ${['debug', 'info', 'warn', 'error'].indexOf(level)} ${hexOf(text)}`);
    const { transmissions } = await base.loop();
    expect(toHex(dataOf(transmissions[0]))).toBe(vector.hex);
  });
});

test('there is no message among the vectors that is not tried here', () => {
  expect(new Set(messages.map(({ message }) => message))).toEqual(
    new Set(['hello', 'helloAnswer', 'nextBoot', 'describe', 'restart', 'log']),
  );
});
