import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { toHex } from '../../../protocol/octets.js';
import { decodeReport, encodeCommand, type ReportHead } from '../../../protocol/unit/heads.js';
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

const RING = 3;

let unit: DrivenUnit;
let base: ScriptedBase;
beforeAll(async () => {
  unit = new DrivenUnit(await buildSessionDriver(['-funsigned-char']));
}, 180_000);
afterAll(async () => expect(await unit.stop()).toEqual({ status: 0, complaints: '' }));
beforeEach(async () => {
  await unit.start('probe');
  base = new ScriptedBase(unit);
});

const measure = async (value: number): Promise<string | undefined> =>
  (await unit.do(`reading ${value}`)).events.find((event) => event.startsWith('reported'));

const reportIn = ({ transmissions }: Exchange): ReportHead => {
  const report = decodeReport(dataOf(transmissions[0]));
  if (report === undefined) throw new Error('a report was expected');
  return report;
};
const briefly = (exchange: Exchange): string => {
  const { sequence, ageMs, fields } = reportIn(exchange);
  return `${sequence}: ${fields[0]} after ${ageMs} ms`;
};
const tracking = ({ transmissions }: Exchange): number => trackingOf(transmissions[0]);

async function serveAgain(connection: number, acknowledged = 0): Promise<Exchange> {
  await unit.do(`end ${base.connection}`);
  await unit.loop();
  base = new ScriptedBase(unit, connection);
  return base.serve(acknowledged);
}

test('a report goes at once, and the next one when it is stored', async () => {
  await base.serve();
  await measure(11);
  await measure(12);
  const first = await base.loop(5);
  expect(first.transmissions.length).toBe(1);
  expect(briefly(first)).toBe('1: 11 after 0 ms');
  expect(reportIn(first).number).toBe(3);
  const second = await base.answer(tracking(first), 0);
  expect(briefly(second)).toBe('2: 12 after 0 ms');
  expect((await base.answer(tracking(second), 0)).transmissions).toEqual([]);
});

test('a value out of its bounds is refused to the sketch, and takes no sequence', async () => {
  await base.serve();
  expect(await measure(101)).toBe('reported out-of-range');
  expect(await measure(100)).toBe('reported ');
  expect(briefly(await base.loop())).toBe('1: 100 after 0 ms');
});

test.each([0xa0, 0xa1])('answered %i: again after 1, 2, 4 … 60 s, under another number, with its age', async (code) => {
  await base.serve();
  await measure(50);
  let exchange = await base.loop();
  const numbers = new Set([tracking(exchange)]);
  let age = 0;
  for (const waitS of [1, 2, 4, 8, 16, 32, 60, 60]) {
    expect((await base.answer(tracking(exchange), code)).transmissions).toEqual([]);
    await waitAlmost(waitS);
    exchange = await base.pass(1);
    age += waitS * 1_000;
    expect(briefly(exchange)).toBe(`1: 50 after ${age} ms`);
    numbers.add(tracking(exchange));
  }
  expect(numbers.size).toBe(9);
  await base.answer(tracking(exchange), 0);
  await measure(51);
  exchange = await base.loop();
  await base.answer(tracking(exchange), code);
  expect(briefly(await base.pass(1_000))).toBe('2: 51 after 1000 ms');
});

/** A pong every now and then keeps the link; nothing but pings may come. */
async function waitAlmost(seconds: number): Promise<void> {
  let left = seconds * 1_000 - 1;
  while (left > 0) {
    const slice = Math.min(left, 10_000);
    const { transmissions } = await base.pass(slice);
    expect(transmissions.filter(({ kind }) => kind !== 'ping')).toEqual([]);
    await base.send({ kind: 'pong' });
    left -= slice;
  }
}

test('no answer in 10 s: again a second later; the late answer to the first is ignored', async () => {
  await base.serve();
  await measure(7);
  const first = await base.loop();
  expect((await base.pass(9_999)).transmissions).toEqual([]);
  expect((await base.pass(1)).transmissions).toEqual([]);
  expect((await base.pass(999)).transmissions).toEqual([]);
  const second = await base.pass(1);
  expect(briefly(second)).toBe('1: 7 after 11000 ms');
  await measure(8);
  expect((await base.answer(tracking(first), 0)).transmissions).toEqual([]);
  expect(briefly(await base.answer(tracking(second), 0))).toBe('2: 8 after 0 ms');
});

test('01 drops it for good: counted, logged, and the next one goes', async () => {
  await base.serve();
  await measure(7);
  await measure(8);
  const exchange = await base.answer(tracking(await base.loop()), 1);
  expect(briefly(exchange)).toBe('2: 8 after 0 ms');
  expect(exchange.events).toEqual(['log 2 the base refused a report']);
  expect((await unit.do('counters')).events).toContain('refused 1');
});

test('what was measured while nobody was there comes oldest first, with its age', async () => {
  await measure(1);
  await unit.pass(3_000);
  await measure(2);
  await unit.pass(500);
  const first = await base.serve();
  expect(briefly(first)).toBe('1: 1 after 3500 ms');
  expect(briefly(await base.answer(tracking(first), 0))).toBe('2: 2 after 500 ms');
});

test('a full ring drops the oldest; the sequence shows the gap', async () => {
  for (let value = 1; value <= RING; value += 1) await measure(value);
  expect((await unit.do('counters')).events).toContain('dropped 0');
  await measure(RING + 1);
  await measure(RING + 2);
  expect(await measure(200)).toBe('reported out-of-range');
  expect((await unit.do('counters')).events).toContain('dropped 2');
  let exchange = await base.serve();
  const seen = [briefly(exchange)];
  for (let more = 1; more < RING; more += 1) {
    exchange = await base.answer(tracking(exchange), 0);
    seen.push(briefly(exchange));
  }
  expect(seen).toEqual(['3: 3 after 0 ms', '4: 4 after 0 ms', '5: 5 after 0 ms']);
});

test('a report dropped from the ring while it was under way: its answer takes nothing else away', async () => {
  await base.serve();
  await measure(1);
  const first = await base.loop();
  for (let value = 2; value <= RING + 1; value += 1) await measure(value);
  expect(briefly(await base.answer(tracking(first), 0))).toBe('2: 2 after 0 ms');
});

test('a lost link: the same report again, a second after the loss; with the hello it is forgotten if stored', async () => {
  await base.serve();
  await measure(1);
  await measure(2);
  await base.loop();
  const served = await serveAgain(1);
  expect(served.transmissions).toEqual([]);
  expect(briefly(await base.pass(1_000))).toBe('1: 1 after 1000 ms');
  await serveAgain(2, 1);
  const exchange = await base.pass(2_000);
  expect(briefly(exchange)).toBe('2: 2 after 3000 ms');
  await serveAgain(3, 2);
  expect((await base.pass(8_000)).transmissions).toEqual([]);
});

test('a last sequence that was never given out forgets nothing', async () => {
  await measure(1);
  expect(briefly(await base.serve(4_000_000_000))).toBe('1: 1 after 0 ms');
});

test('the age goes on over a clock that passes 2^32, and stops at 2^32 - 1', async () => {
  await unit.start('probe', { millis: 2 ** 32 - 1_000 });
  await measure(1);
  await unit.pass(5_000);
  base = new ScriptedBase(unit);
  expect(briefly(await base.serve())).toBe('1: 1 after 5000 ms');
  await unit.start('probe');
  await measure(1);
  for (let days = 0; days < 60; days += 20) await unit.pass(20 * 86_400_000);
  base = new ScriptedBase(unit);
  expect(briefly(await base.serve())).toBe(`1: 1 after ${2 ** 32 - 1} ms`);
});

test('what a handler that takes its time reports is as old as it is, and no older', async () => {
  await base.serve();
  await unit.do('handler-takes 3');
  const { transmissions } = await base.request(7, encodeCommand({ number: 1, id: 1, fields: Uint8Array.of(5) }));
  const reports = transmissions.filter(({ kind }) => kind === 'request').map((transmission) => dataOf(transmission));
  const sent = reports.length > 0 ? reports : [dataOf((await base.loop()).transmissions[0])];
  expect(sent.map((data) => decodeReport(data)?.ageMs)).toEqual([0]);
});

test('in a boot that another base orders, sequence starts at 1 again', async () => {
  const first = await base.serve();
  expect(first.transmissions).toEqual([]);
  for (let value = 1; value <= 3; value += 1) {
    await measure(value);
    const exchange = await base.loop();
    expect(reportIn(exchange).sequence).toBe(value);
    if (value < 3) await base.answer(tracking(exchange), 0);
  }
  await unit.do(`end ${base.connection}`);
  await unit.loop();
  base = new ScriptedBase(unit, 1);
  const hello = await base.open();
  const again = await base.answer(tracking(hello), 1, encodeNextBoot(7));
  expect(decodeHello(dataOf(again.transmissions[0])).boot).toBe(7);
  const served = await base.answer(tracking(again), 0, encodeHelloAnswer(welcome));
  expect(briefly(served)).toMatch(/^1: 3 /);
});

test('when the sequences of a boot are used up, the unit takes the next boot and numbers from 1', async () => {
  await unit.do(`skip-to ${2 ** 32 - 3}`);
  await base.serve();
  await measure(1);
  await measure(2);
  const first = await base.loop();
  expect(briefly(first)).toBe(`${2 ** 32 - 2}: 1 after 0 ms`);
  expect((await unit.do('reading 3')).events).toEqual(['boot 2', 'reported ']);
  await unit.loop(2);
  base = new ScriptedBase(unit, 1);
  const hello = await base.open();
  expect(decodeHello(dataOf(hello.transmissions[0])).boot).toBe(2);
  const seen: string[] = [];
  let exchange = await base.answer(tracking(hello), 0, encodeHelloAnswer(welcome));
  while (exchange.transmissions.length > 0) {
    seen.push(`${reportIn(exchange).sequence}: ${toHex(reportIn(exchange).fields)}`);
    exchange = await base.answer(tracking(exchange), 0);
  }
  expect(seen).toEqual(['1: 01', '2: 02', '3: 03']);
});
