import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeCommand } from '../../../protocol/unit/heads.js';
import { buildSessionDriver, DrivenUnit, type Exchange, ScriptedBase, trackingOf } from './driven-unit.js';

const SLEEP = `sleep ${10 * 60_000}`;
const ASLEEP = { kind: 'close', code: 0xa0 };
/** From the welcome, and without one. */
const VISIT_MS = 10_000;
const UNWELCOME_MS = 60_000;

let unit: DrivenUnit;
let base: ScriptedBase;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(async () => {
  await unit.start('garden');
  base = new ScriptedBase(unit);
});

const isAsleep = ({ events }: { readonly events: readonly string[] }): boolean => events.includes(SLEEP);
const setDryBelow = (id: number): Promise<Exchange> =>
  base.request(id, encodeCommand({ number: 1, id, fields: Uint8Array.of(40) }));
const kinds = ({ transmissions }: Exchange): string[] => transmissions.map(({ kind }) => kind);

test('wakes, sends what it measured, says that it sleeps, lets that arrive, and sleeps', async () => {
  await unit.do('soil 21');
  await unit.do('soil 22');
  const first = await base.serve();
  expect(kinds(first)).toEqual(['request']);
  const second = await base.answer(trackingOf(first.transmissions[0]), 0);
  expect(kinds(second)).toEqual(['request']);
  await unit.do('unacknowledged 0 1');
  const last = await base.answer(trackingOf(second.transmissions[0]), 0);
  expect(last.transmissions).toEqual([ASLEEP]);
  expect(last.events).toEqual([]);
  await unit.do('unacknowledged 0 0');
  expect((await unit.loop(2)).events.slice(0, 2)).toEqual(['closed 0', SLEEP]);
});

test('a peer that acknowledges nothing has 2 s to take the goodbye', async () => {
  await unit.do('soil 21');
  const first = await base.serve();
  await unit.do('unacknowledged 0 1');
  await base.answer(trackingOf(first.transmissions[0]), 0);
  expect((await unit.pass(1_999)).events).toEqual([]);
  expect((await unit.pass(1)).events.slice(0, 2)).toEqual(['closed 0', SLEEP]);
});

test('a base that reads slowly gets the last answer whole, and then the goodbye', async () => {
  await unit.do('soil 21');
  const first = await base.serve(0, 1);
  await base.answer(trackingOf(first.transmissions[0]), 0);
  await unit.do('room 0 5');
  const cut = await setDryBelow(1);
  expect(cut).toEqual({ events: ['setDryBelow 40'], transmissions: [] });
  await unit.do('room 0 -1');
  const last = await base.loop(3);
  expect(kinds(last)).toEqual(['response', 'close']);
  expect(last.transmissions[1]).toEqual(ASLEEP);
  expect(last.events.slice(0, 2)).toEqual(['closed 0', SLEEP]);
});

test('stays until it has answered as many commands as the base promised', async () => {
  await unit.do('soil 21');
  const first = await base.serve(0, 2);
  expect((await base.answer(trackingOf(first.transmissions[0]), 0)).transmissions).toEqual([]);
  const one = await setDryBelow(1);
  expect(one.events).toEqual(['setDryBelow 40']);
  expect(kinds(one)).toEqual(['response']);
  const two = await setDryBelow(2);
  expect(two.events.slice(0, 3)).toEqual(['setDryBelow 40', 'closed 0', SLEEP]);
  expect(kinds(two)).toEqual(['response', 'close']);
});

test('a command that it answered before counts as one of them', async () => {
  await unit.do('soil 21');
  const first = await base.serve(0, 2);
  await base.answer(trackingOf(first.transmissions[0]), 0);
  await setDryBelow(1);
  expect(isAsleep(await setDryBelow(1))).toBe(true);
});

describe('10 s after the welcome it sleeps, whatever is left', () => {
  test.each([
    ['a reading that the base does not store', 'soil 21', 0],
    ['a command that does not come', 'soil 21', 1],
    ['nothing was measured', 'counters', 0],
  ])('%s', async (_, before, waiting) => {
    await unit.do(before);
    await base.serve(0, waiting);
    expect(isAsleep(await base.pass(VISIT_MS - 1))).toBe(false);
    const last = await base.pass(1);
    expect(last.transmissions).toContainEqual(ASLEEP);
    expect(isAsleep(last)).toBe(true);
  });

  test('a link lost and made again in that time does not begin it anew', async () => {
    await unit.do('soil 21');
    await base.serve();
    await unit.pass(VISIT_MS - 1_000);
    await unit.do('end 0');
    expect(isAsleep(await unit.loop())).toBe(false);
    base = new ScriptedBase(unit, 1);
    await base.serve(0, 5);
    expect(isAsleep(await base.pass(999))).toBe(false);
    expect(isAsleep(await base.pass(1))).toBe(true);
  });
});

describe('60 s after its start a unit that nobody has welcomed sleeps', () => {
  test('nobody is there', async () => {
    await unit.do('soil 21');
    expect((await unit.pass(UNWELCOME_MS - 1)).events).toEqual([]);
    expect((await unit.pass(1)).events[0]).toBe(SLEEP);
  });

  test('a base proves itself and answers no hello; the clock passes 2^32', async () => {
    await unit.start('garden', { millis: 2 ** 32 - 30_000 });
    base = new ScriptedBase(unit);
    await base.open();
    for (let passed = 0; passed < UNWELCOME_MS - 1; passed += 9_999) {
      expect(isAsleep(await base.send({ kind: 'ping' }))).toBe(false);
      await base.pass(Math.min(9_999, UNWELCOME_MS - 1 - passed));
    }
    await base.send({ kind: 'ping' });
    const happened = await base.pass(1);
    expect(happened.events.slice(0, 2)).toEqual(['closed 0', SLEEP]);
  });
});

test('a unit that never sleeps does not, however long it has nothing to do', async () => {
  await unit.start('probe');
  expect((await unit.pass(86_400_000)).events).toEqual([]);
});
