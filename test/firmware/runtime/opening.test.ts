import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../../protocol/octets.js';
import {
  buildSessionDriver,
  crypto,
  DrivenUnit,
  type Happened,
  ScriptedBase,
  vectorChallenge,
  vectorKey,
} from './driven-unit.js';

let unit: DrivenUnit;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(() => unit.start('lamp'));

interface SessionVectors {
  readonly nonce: string;
  readonly steps: readonly { readonly from: 'unit' | 'base'; readonly what: string; readonly hex: string }[];
}
const vectors = JSON.parse(readFileSync('test/vectors/unit-session.json', 'utf8')) as SessionVectors;
const step = (what: string): Uint8Array => fromHex(vectors.steps.find((one) => one.what === what)!.hex);
const ruleAndChallenge = concat(step('rule'), step('challenge'));
const STEP_MS = 5_000;
const WHOLE_MS = 20_000;

/** What the vectors' unit does of itself: it measures, or time passes. */
async function happensBefore(what: string): Promise<Happened> {
  if (what.startsWith('ping after')) return unit.pass(15_000);
  if (what.startsWith('report')) await unit.do('state 1 2 3 50');
  return unit.loop();
}

const connect = async (connection = 0): Promise<string> => {
  await unit.do(`connect ${connection}`);
  return toHex((await unit.loop()).out(connection));
};

test('the session of the vectors goes octet by octet', async () => {
  let written = await connect();
  for (const { from, what, hex } of vectors.steps) {
    if (from === 'unit') written += toHex((await happensBefore(what)).out(0));
    if (from === 'base') {
      expect(written, `nothing more before ${what}`).toBe('');
      written = toHex((await unit.give(0, fromHex(hex))).out(0));
    } else {
      expect(written.slice(0, hex.length), what).toBe(hex);
      written = written.slice(hex.length);
    }
  }
  expect(written).toBe('');
  expect((await unit.do('counters')).events).toContain('served 0');
});

test('the same session one octet at a time', async () => {
  await unit.do('chunk 1');
  let written = await connect();
  for (const { from, what, hex } of vectors.steps) {
    if (from === 'unit') written += toHex((await happensBefore(what)).out(0));
    if (from === 'unit') {
      expect(written.slice(0, hex.length), what).toBe(hex);
      written = written.slice(hex.length);
      continue;
    }
    for (const octet of fromHex(hex)) written += toHex((await unit.give(0, Uint8Array.of(octet), 1)).out(0));
  }
  expect(written).toBe('');
});

test('nothing but the UID and a proof is told before the base has proved itself', async () => {
  expect(await connect()).toBe(toHex(step('initiation')));
  const told = toHex((await unit.give(0, ruleAndChallenge)).out(0));
  expect(told).toBe(toHex(step('UID, proof and N')));
  expect(told.slice(0, 32)).toBe(`${'00'.repeat(9)}${Buffer.from('ObjTest').toString('hex')}`);
  expect(toHex((await unit.loop(20)).out(0))).toBe('');
});

describe('a base that cannot prove itself is left without a word', () => {
  test.each([
    ['OK = 0', '0002'],
    ['no mutual proof', '8000'],
    ['other flags only', '80fd'],
    ['a redirection', '8102'],
    ['an unknown rule', '8202'],
  ])('%s', async (_, rule) => {
    await connect();
    const happened = await unit.give(0, concat(fromHex(rule), vectorChallenge));
    expect(happened.events).toEqual(['refused 0']);
    expect(toHex(happened.out(0))).toBe('');
  });

  test('it refuses our proof', async () => {
    await connect();
    await unit.give(0, ruleAndChallenge);
    const happened = await unit.give(0, Uint8Array.of(0));
    expect(happened.events).toEqual(['refused 0']);
    expect(toHex(happened.out(0))).toBe('');
  });

  test('any octet of its proof is wrong', async () => {
    const right = step('base proof');
    for (let at = 0; at < right.length; at += 1) {
      await unit.start('lamp');
      await connect();
      await unit.give(0, ruleAndChallenge);
      const wrong = right.slice();
      wrong[at]! ^= 0x01;
      const command = fromHex('30000900010008010100000011223300');
      const happened = await unit.give(0, concat(wrong, command), 6);
      expect(happened.events).toEqual(['refused 0']);
      expect(toHex(happened.out(0))).toBe('');
    }
  });

  test('it replays a session that it recorded', async () => {
    await unit.do(`random ${'77'.repeat(16)}`);
    await connect();
    const recorded = concat(...vectors.steps.filter(({ from }) => from === 'base').map(({ hex }) => fromHex(hex)));
    const happened = await unit.give(0, recorded, 10);
    expect(happened.events).toEqual(['refused 0']);
    expect(toHex(happened.out(0)).length).toBe(2 * 64);
  });
});

test('a base with another key is refused by its own check, and can prove nothing', async () => {
  const base = new ScriptedBase(unit);
  await expect(base.open(crypto.hmac(vectorKey, vectorKey).slice(0, 16))).rejects.toThrow(/does not have the key/);
});

describe('time', () => {
  test('a step has 5 s, and not a millisecond more', async () => {
    await connect();
    expect((await unit.pass(STEP_MS - 1)).events).toEqual([]);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });

  test('a base that stops after its challenge, or inside its proof, is left', async () => {
    await connect();
    await unit.give(0, ruleAndChallenge);
    expect((await unit.pass(STEP_MS)).events).toEqual(['closed 0']);
    await connect(1);
    await unit.give(1, ruleAndChallenge);
    await unit.give(1, step('base proof').subarray(0, 20));
    expect((await unit.pass(STEP_MS)).events).toEqual(['closed 1']);
  });

  test('the whole opening has 20 s, however busy the base is', async () => {
    await connect();
    await unit.pass(STEP_MS - 1);
    await unit.give(0, step('rule'));
    await unit.pass(STEP_MS - 1);
    await unit.give(0, vectorChallenge);
    await unit.pass(STEP_MS - 1);
    await unit.give(0, step('base proof').subarray(0, 1));
    expect((await unit.pass(STEP_MS - 1)).events).toEqual([]);
    expect((await unit.pass(WHOLE_MS - 4 * (STEP_MS - 1))).events).toEqual(['closed 0']);
  });

  test('the clock may pass 2^32 meanwhile', async () => {
    await unit.start('lamp', { millis: 2 ** 32 - 100 });
    await connect();
    expect((await unit.pass(STEP_MS - 1)).events).toEqual([]);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });

  test('the next one is served when a silent one has been left', async () => {
    await connect(0);
    expect(await connect(1)).toBe('');
    const happened = await unit.pass(STEP_MS);
    expect(happened.events).toEqual(['closed 0']);
    expect(toHex((await unit.loop()).out(1)) || toHex(happened.out(1))).toBe(toHex(step('initiation')));
  });
});

describe('two bases', () => {
  test('a second one that proves itself is refused with 02 while the first lives', async () => {
    const first = new ScriptedBase(unit, 0);
    await first.serve();
    const second = new ScriptedBase(unit, 1);
    const exchange = await second.open();
    expect(exchange.transmissions).toEqual([{ kind: 'close', code: 0x02 }]);
    expect(exchange.events).toEqual(['closed 1']);
    const answer = await first.request(1, fromHex('0101000000aabbcc'));
    expect(answer.events).toEqual(['setColor aabbcc']);
  });

  test('a second one is taken at the moment when the first has been silent for 60 s', async () => {
    const first = new ScriptedBase(unit, 0);
    await first.serve();
    await unit.pass(59_000);
    const second = new ScriptedBase(unit, 1);
    expect((await second.open()).transmissions).toEqual([{ kind: 'close', code: 0x02 }]);
    await unit.pass(1_000);
    expect((await unit.loop(5)).events).toEqual([]);
    const third = new ScriptedBase(unit, 2);
    expect((await third.open()).transmissions.map(({ kind }) => kind)).toEqual(['request']);
  });

  test('one that comes back before the end of its old connection was looked at is served', async () => {
    await new ScriptedBase(unit, 0).serve();
    await unit.do(`random ${vectors.nonce}`);
    await connect(1);
    await unit.give(1, ruleAndChallenge);
    await unit.do('end 0');
    const happened = await unit.give(1, step('base proof'), 1);
    expect(happened.events).toEqual(['closed 0']);
    expect(happened.out(1).length).toBe(step('hello').length);
  });

  test('a stranger beside a served base has 5 s in all', async () => {
    await new ScriptedBase(unit, 0).serve();
    await connect(1);
    await unit.pass(STEP_MS - 1);
    await unit.give(1, ruleAndChallenge);
    expect((await unit.pass(1)).events).toEqual(['closed 1']);
  });

  test('one stranger is looked at at a time; the served base does not notice', async () => {
    const first = new ScriptedBase(unit, 0);
    await first.serve();
    await connect(1);
    expect(await connect(2)).toBe('');
    const answer = await first.request(1, fromHex('0101000000aabbcc'));
    expect(answer.events).toEqual(['setColor aabbcc']);
  });
});

test('a peer that never reads its initiation cannot be answered, and is left', async () => {
  await unit.do('connect 0');
  await unit.do('room 0 0');
  const happened = await unit.give(0, ruleAndChallenge, 5);
  expect(happened.events).toEqual(['refused 0']);
  expect(toHex(happened.out(0))).toBe('');
});

test('a peer that goes away while it opens makes room', async () => {
  await connect(0);
  await unit.do('end 0');
  expect((await unit.loop()).events).toEqual(['closed 0']);
  await unit.do('connect 1');
  await unit.do('break 1');
  expect((await unit.loop(2)).events).toEqual(['closed 1']);
  expect(await connect(2)).toBe(toHex(step('initiation')));
});
