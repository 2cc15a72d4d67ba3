import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { decodeReport, encodeCommand } from '../../../protocol/unit/heads.js';
import { decodeHello, encodeHelloAnswer, encodeNextBoot } from '../../../protocol/unit/system-messages.js';
import {
  buildSessionDriver,
  DrivenUnit,
  dataOf,
  type Exchange,
  ScriptedBase,
  trackingOf,
  welcome,
} from './driven-unit.js';

let unit: DrivenUnit;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(() => unit.start('lamp'));

interface Step {
  readonly from: 'unit' | 'base';
  readonly what: string;
  readonly hex: string;
}
const { steps } = JSON.parse(readFileSync('test/vectors/unit-session.json', 'utf8')) as { readonly steps: Step[] };
/** More loops than any transmission has octets. */
const LONG = 200;

/** Goes through the vectors' session, as far as the step of that number; what the unit wrote. */
async function play(until = steps.length, loops = 3): Promise<string> {
  await unit.do('connect 0');
  let written = toHex((await unit.loop(loops)).out(0));
  for (const { from, what, hex } of steps.slice(0, until)) {
    if (from === 'base') await unit.do(`in 0 ${hex}`);
    if (what.startsWith('report')) await unit.do('state 1 2 3 50');
    const happened = what.startsWith('ping after') ? await unit.pass(15_000, loops) : await unit.loop(loops);
    written += toHex(happened.out(0));
  }
  return written;
}
const NONCE = '101112131415161718191a1b1c1d1e1f';
const unitSays = steps
  .filter(({ from }) => from === 'unit')
  .map(({ hex }) => hex)
  .join('');

describe('a port that takes and gives little at a time', () => {
  test.each([
    [1, 4096],
    [1, 1],
    [7, 3],
  ])('%i octets a write, %i a read: the session is the same to the octet', async (piece, chunk) => {
    await unit.do(`piece ${piece}`);
    await unit.do(`chunk ${chunk}`);
    expect(await play(steps.length, LONG)).toBe(unitSays);
  });

  test('a second base is told that the unit is served, octet by octet', async () => {
    await new ScriptedBase(unit, 0).serve();
    await unit.do('connect 1');
    const rule = steps.find(({ what }) => what === 'rule')!.hex;
    const challenge = steps.find(({ what }) => what === 'challenge')!.hex;
    await unit.do(`random ${NONCE}`);
    await unit.loop();
    await unit.do(`in 1 ${rule}${challenge}`);
    await unit.loop();
    await unit.do('piece 1');
    const happened = await unit.give(1, fromHex(steps.find(({ what }) => what === 'base proof')!.hex));
    expect(toHex(happened.out(1)).slice(0, 4)).toBe('f002');
    expect(happened.out(1).length).toBe(2 + 8);
    expect(happened.events).toEqual(['closed 1']);
  });
});

describe('a connection that takes nothing for a while', () => {
  test('in the opening: what was not taken is said when it is, within the step’s 5 s', async () => {
    await unit.do('connect 0');
    await unit.do('room 0 2');
    expect(toHex((await unit.loop()).out(0))).toBe('0103');
    await unit.do('room 0 0');
    expect((await unit.pass(4_999)).events).toEqual([]);
    await unit.do('room 0 -1');
    expect(toHex((await unit.loop()).out(0))).toBe(steps[0]!.hex.slice(4));
    await unit.do('room 0 10');
    await unit.give(0, fromHex(steps[1]!.hex + steps[2]!.hex));
    await unit.do('room 0 -1');
    expect(toHex((await unit.loop()).out(0))).toBe(steps[3]!.hex.slice(20));
  });

  test('in the session: nothing is read meanwhile, nothing is lost, and nothing is said twice', async () => {
    const base = new ScriptedBase(unit);
    await base.serve();
    await unit.do('room 0 5');
    await unit.do('state 1 2 3 50');
    let exchange: Exchange = await base.loop();
    expect(exchange.transmissions).toEqual([]);
    const colour = encodeCommand({ number: 1, id: 1, fields: fromHex('0a0b0c') });
    exchange = await base.request(9, colour);
    expect(exchange.events).toEqual([]);
    await unit.pass(14_000);
    await unit.do('room 0 -1');
    exchange = await base.loop(4);
    expect(exchange.events).toEqual(['setColor 0a0b0c']);
    expect(exchange.transmissions.map(({ kind }) => kind)).toEqual(['request', 'response']);
  });

  test('at the hello, of a unit that nobody served for long: it waits 30 s, as later', async () => {
    await unit.start('lamp', { millis: 86_400_000 });
    await play(steps.findIndex(({ what }) => what === 'base proof'));
    await unit.do('room 0 20');
    const proof = fromHex(steps.find(({ what }) => what === 'base proof')!.hex);
    expect((await unit.give(0, proof)).out(0).length).toBe(20);
    expect((await unit.pass(29_999)).events).toEqual([]);
    expect((await unit.pass(1)).events).toEqual(['closed 0']);
  });
});

describe('a connection lost at any point', () => {
  test.each(['break 0', 'end 0'])('%s: the slot is free again, and the next base is served', async (loss) => {
    for (let until = 0; until < steps.length; until += 1) {
      await unit.start('lamp');
      await play(until);
      await unit.do(loss);
      expect((await unit.loop(3)).events, `after ${steps[until]!.what}`).toContain('closed 0');
      const next = new ScriptedBase(unit, 1);
      await next.serve();
      const colour = encodeCommand({ number: 1, id: 77, fields: fromHex('0a0b0c') });
      expect((await next.request(1, colour)).events, `after ${steps[until]!.what}`).toEqual(['setColor 0a0b0c']);
    }
  });
});

describe('a port that fails', () => {
  test('accept: the unit goes on, and takes who waits when it can', async () => {
    const first = new ScriptedBase(unit, 0);
    await first.serve();
    await unit.do('can-accept 0');
    await unit.do('connect 1');
    expect((await unit.loop(20)).events).toEqual([]);
    const colour = encodeCommand({ number: 1, id: 1, fields: fromHex('0a0b0c') });
    expect((await first.request(1, colour)).events).toEqual(['setColor 0a0b0c']);
    await unit.do('can-accept 1');
    expect(toHex((await unit.loop()).out(1))).toBe(steps[0]!.hex);
  });

  test('storeBoot, when a base orders another boot: it is used all the same, and said', async () => {
    const base = new ScriptedBase(unit);
    const hello = await base.open();
    await unit.do('cannot-store');
    const again = await base.answer(trackingOf(hello.transmissions[0]), 1, encodeNextBoot(70));
    expect(again.events).toEqual(['boot 70', 'log 2 the boot number is not stored']);
    expect(decodeHello(dataOf(again.transmissions[0])).boot).toBe(70);
  });
});

test('a unit disconnected for an hour delivers what its ring held, oldest first, with right ages, and the gap by its size', async () => {
  await unit.start('probe');
  let base = new ScriptedBase(unit);
  await base.serve();
  await unit.do('reading 1');
  await base.answer(trackingOf((await base.loop()).transmissions[0]), 0);
  await unit.do('end 0');
  for (let minutes = 0; minutes < 60; minutes += 10) {
    await unit.pass(10 * 60_000);
    await unit.do(`reading ${minutes}`);
  }
  base = new ScriptedBase(unit, 1);
  let exchange = await base.serve(1);
  const seen: string[] = [];
  while (exchange.transmissions.length > 0) {
    const { sequence, ageMs, fields } = decodeReport(dataOf(exchange.transmissions[0]))!;
    seen.push(`${sequence}: ${fields[0]} after ${ageMs / 60_000} min`);
    exchange = await base.answer(trackingOf(exchange.transmissions[0]), 0);
  }
  // 2, 3 and 4 found no room: three are missing between 1, which is stored, and 5.
  expect(seen).toEqual(['5: 30 after 20 min', '6: 40 after 10 min', '7: 50 after 0 min']);
  expect((await unit.do('counters')).events).toContain('dropped 3');
});

describe('a clock that passes 2^32', () => {
  /** Everything that waits for time, one after the other; all that the unit says and does meanwhile. */
  async function everything(millis: number): Promise<string[]> {
    await unit.start('probe', { millis });
    const told: string[] = [];
    const tell = async (what: string, happening: Promise<{ readonly events: readonly string[] }>): Promise<void> => {
      const { events, ...more } = await happening;
      told.push(`${what}: ${[...events, JSON.stringify(more)].join(' ')}`);
    };
    // An opening that is slow, and one that is too slow.
    await unit.do('reading 7');
    await unit.do('connect 5');
    await unit.loop();
    await tell('slow opening', unit.pass(4_999));
    await tell('too slow', unit.pass(1));
    const base = new ScriptedBase(unit);
    const hello = await base.open();
    await tell('hello is waited for', base.pass(9_999));
    await tell('hello is late', base.pass(1));
    const again = await base.pass(1_000);
    await tell('welcome', base.answer(trackingOf(again.transmissions[0]), 0, encodeHelloAnswer(welcome)));
    await tell('late answer', base.answer(trackingOf(hello.transmissions[0]), 0));
    await tell('report is late', base.pass(10_000));
    await tell('report waits', base.pass(999));
    const report = await base.pass(1);
    await tell('report again', Promise.resolve(report));
    await tell('stored', base.answer(trackingOf(report.transmissions[0]), 0));
    await tell('frame begins', unit.give(0, fromHex('30')));
    await tell('frame is not whole', base.pass(10_000));
    const next = new ScriptedBase(unit, 1);
    await next.serve();
    await tell('quiet', next.pass(14_999));
    await tell('ping', next.pass(1));
    await tell('time', unit.do('counters'));
    await tell('silence', next.pass(45_000));
    await tell('drained', unit.pass(2_000));
    return told;
  }

  let usual: string[];
  beforeAll(async () => {
    usual = await everything(1_000);
    expect(usual.length).toBe(17);
  });

  // Before, in and after each of these waits, and by the millisecond.
  test.each([
    1, 2, 4_998, 5_000, 5_001, 12_000, 15_000, 15_001, 16_000, 20_000, 26_500, 27_000, 30_000, 37_500, 50_000, 52_500,
    60_000, 98_000,
  ])('after %i ms of it, all is said and done as ever', async (before) => {
    expect(await everything(2 ** 32 - before)).toEqual(usual);
  });
});
