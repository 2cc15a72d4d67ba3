import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeliveryResult } from '../../../base/core/delivery.js';
import { MAX_RECORDS } from '../../../base/core/records.js';
import type { HandlerContext } from '../../../base/dialects/handler.js';
import { settle } from '../../support/manual-clock.js';
import { HostRig } from './host-rig.js';

/** What a handler has of the base to know its units by: records, life, what was forgotten, what units report. */

let rig: HostRig;

beforeEach(async () => {
  rig = new HostRig();
  await rig.boot();
});
afterEach(() => rig.end());

const ok = async (): Promise<DeliveryResult> => ({ outcome: 'ok' });
const notes = ({ records }: HandlerContext) => records.all().map(({ key, unit, value }) => [key, unit, value]);

// Records.

test('a handler’s records are there in its next run, the last of each key, and no other handler sees them', async () => {
  const [one, two] = [await rig.start('one'), await rig.start('two')];
  await one.records.put({ key: 'a', value: 1 });
  await one.records.put({ key: 'a', unit: 'tank', value: { n: [2] } });
  await one.records.put({ key: 'b', value: null });
  await two.records.put({ key: 'a', value: 'other' });
  await two.records.erase('b');
  await one.records.erase('nothing');
  const expected = [
    [
      ['a', 'tank', { n: [2] }],
      ['b', undefined, null],
    ],
    [['a', undefined, 'other']],
  ];
  expect([notes(one), notes(two)]).toEqual(expected);
  await rig.stop();
  await rig.boot();
  const again = [await rig.start('one'), await rig.start('two'), await rig.start('three')];
  expect(again.map(notes)).toEqual([...expected, []]);
  await again[0]!.records.erase('a');
  expect(again.map(notes)).toEqual([[['b', undefined, null]], expected[1], []]);
  expect((await rig.store.load()).records.map(({ handler, key }) => `${handler}/${key}`)).toEqual(['one/b', 'two/a']);
});

test('a put has resolved when it is on disk, and shows at once', async () => {
  const context = await rig.start();
  let open!: () => void;
  rig.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  let isThere = false;
  const put = context.records.put({ key: 'a', value: 1 }).then(() => {
    isThere = true;
  });
  await settle();
  expect([notes(context), isThere]).toEqual([[['a', undefined, 1]], false]);
  open();
  await put;
  expect(rig.store.of('record')).toHaveLength(1);
});

test('what the disk does not take rejects, and is as it was; that is no fault', async () => {
  const context = await rig.start();
  await context.records.put({ key: 'a', value: 1 });
  rig.store.isFailing = true;
  await expect(context.records.put({ key: 'a', value: 2 })).rejects.toMatchObject({ code: 'store-failed' });
  await expect(context.records.erase('a')).rejects.toMatchObject({ code: 'store-failed' });
  rig.store.isFailing = false;
  expect([notes(context), rig.statusOf().faults]).toEqual([[['a', undefined, 1]], 0]);
});

test('as many records are taken as the handler says, and one more when one goes; others have their own bound', async () => {
  const [few, many] = [await rig.start('few', { limits: { records: 2 } }), await rig.start('many')];
  for (const key of ['a', 'b']) await few.records.put({ key, value: 1 });
  await expect(few.records.put({ key: 'c', value: 1 })).rejects.toMatchObject({ code: 'store-busy' });
  await few.records.put({ key: 'b', value: 2 });
  await few.records.erase('a');
  await few.records.put({ key: 'c', value: 1 });
  await many.records.put({ key: 'c', value: 1 });
  expect([few.records.all().length, many.records.all().length, MAX_RECORDS]).toEqual([2, 1, 32_768]);
});

test('a record about a unit goes when that is forgotten, from the memory and from the disk', async () => {
  const [one, two] = [await rig.start('one'), await rig.start('two')];
  await one.records.put({ key: 'a', unit: 'tank', value: 1 });
  await one.records.put({ key: 'tank', value: 2 });
  await two.records.put({ key: 'a', unit: 'tank', value: 3 });
  await rig.router.forget('tank');
  expect([notes(one), notes(two)]).toEqual([[['tank', undefined, 2]], []]);
  expect((await rig.store.load()).records).toMatchObject([{ handler: 'one', key: 'tank' }]);
});

test('when the handler has ended it has no records, and puts and erases none', async () => {
  const context = await rig.start();
  await context.records.put({ key: 'a', value: 1 });
  await rig.stop();
  expect(context.records.all()).toEqual([]);
  await expect(context.records.put({ key: 'b', value: 1 })).rejects.toMatchObject({ code: 'stopped' });
  await expect(context.records.erase('a')).rejects.toMatchObject({ code: 'stopped' });
  expect((await rig.store.load()).records.map(({ key }) => key)).toEqual(['a']);
});

// Life.

test('seen shows when the unit is looked at, and nothing is written for it', async () => {
  const context = await rig.start();
  context.addUnit({ uid: 'tank' }, ok);
  context.presence('tank', { state: 'online' });
  await rig.clock.advance(60_000);
  const before = rig.store.committed.length;
  for (let beat = 0; beat < 100; beat += 1) {
    await rig.clock.advance(10_000);
    context.seen('tank');
    expect(rig.router.get('tank')?.lastSeenAt).toBe(rig.clock.now());
  }
  await rig.clock.advance(60_000);
  expect(rig.store.committed.slice(before)).toEqual([]);
  expect(rig.heard).toHaveLength(1);
});

test('seen of a unit of another handler is a fault, and of none nothing', async () => {
  const [owner, stranger] = [await rig.start('owner'), await rig.start('stranger')];
  owner.addUnit({ uid: 'tank' }, ok);
  owner.seen('tank');
  const at = rig.clock.now();
  await rig.clock.advance(1_000);
  for (const uid of ['tank', 'hall', 'nobody']) stranger.seen(uid);
  expect(rig.router.get('tank')?.lastSeenAt).toBe(at);
  expect([rig.statusOf('stranger').faults, rig.statusOf('owner').faults]).toEqual([2, 0]);
  await rig.stop();
  owner.seen('tank');
  expect(rig.router.get('tank')?.lastSeenAt).toBe(at);
});

test('a reason is told with every state, and goes with it', async () => {
  const context = await rig.start();
  context.addUnit({ uid: 'tank' }, ok);
  const steps = [
    { state: 'online' },
    { state: 'online', reason: 'in a tunnel with pump' },
    { state: 'online', reason: 'in a tunnel with pump' },
    { state: 'online' },
    { state: 'online', reason: 'in a tunnel with lamp' },
    { state: 'offline', reason: 'it was silent for 60 s' },
    { state: 'offline' },
    { state: 'online', reason: 'x'.repeat(513) },
    { state: 'offline' },
  ] as const;
  for (const step of steps) context.presence('tank', step);
  expect(rig.heard.map((each) => (each.kind === 'presence' ? [each.state, each.reason] : []))).toEqual([
    ['online', undefined],
    ['online', 'in a tunnel with pump'],
    ['online', undefined],
    ['online', 'in a tunnel with lamp'],
    ['offline', 'it was silent for 60 s'],
    ['online', 'x'.repeat(512)],
    // Why it was online is not why it is offline.
    ['offline', undefined],
  ]);
});

// What was forgotten.

test('who forgets a unit tells its handler, and no other; what that throws is a fault', async () => {
  const [owner, stranger] = [await rig.start('owner'), await rig.start('stranger')];
  owner.addUnit({ uid: 'tank' }, ok);
  owner.addUnit({ uid: 'pump' }, ok);
  const told: string[] = [];
  owner.onForgotten(() => {
    throw new Error('not this one');
  });
  const leave = owner.onForgotten((uid) => void told.push(`owner ${uid}`));
  stranger.onForgotten((uid) => void told.push(`stranger ${uid}`));
  await rig.router.forget('tank');
  for (const uid of ['hall', 'nobody']) await rig.router.forget(uid);
  leave();
  leave();
  await rig.router.forget('pump');
  expect(told).toEqual(['owner tank']);
  expect([rig.statusOf('owner').faults, rig.statusOf('stranger').faults]).toEqual([2, 0]);
});

test('when the handler has ended it is told of nothing that is forgotten', async () => {
  const context = await rig.start();
  context.addUnit({ uid: 'tank' }, ok);
  const told: string[] = [];
  context.onForgotten((uid) => void told.push(uid));
  await rig.stop();
  context.onForgotten((uid) => void told.push(uid));
  await rig.router.forget('tank');
  expect(told).toEqual([]);
});

// What units report.

test('telemetry is what units report that are not typed: on disk when it is durable, else at once', async () => {
  const [context, listener] = [await rig.start(), await rig.start('listener')];
  context.addUnit({ uid: 'tank' }, ok);
  const told: string[] = [];
  listener.hear('telemetry', () => {
    throw new Error('not this one');
  });
  const leave = listener.hear('telemetry', ({ unit, payload }) => void told.push(`${unit} ${JSON.stringify(payload)}`));
  listener.hear('report', ({ unit }) => void told.push(`typed ${unit}`));
  const report = (value: number, durable: boolean) =>
    context.report({ uid: 'tank', payload: { format: 'json', value }, measuredAt: 1, durable });
  let open!: () => void;
  rig.store.gate = new Promise((resolve) => {
    open = resolve;
  });
  void report(1, false);
  const stored = report(2, true);
  await settle();
  expect(told).toEqual(['tank {"format":"json","value":1}']);
  open();
  expect(await stored).toBe('stored');
  rig.router.hello({ uid: 'hall', boot: 3, nonce: 7, version: '1.0.0' });
  const reading = { uid: 'hall', report: 'reading', fields: { temperature: 20 }, measuredAt: 5 };
  await rig.router.report({ ...reading, identity: { boot: 3, sequence: 1 } });
  leave();
  await report(3, true);
  expect(told).toEqual(['tank {"format":"json","value":1}', 'tank {"format":"json","value":2}', 'typed hall']);
  expect(rig.statusOf('listener').faults).toBe(3);
});

test('who hears telemetry is somebody whom reports are wanted for, until the handler has ended', async () => {
  const [context, listener] = [await rig.start(), await rig.start('listener')];
  const told: string[] = [];
  listener.hear('telemetry', ({ unit }) => void told.push(unit));
  expect(context.wants('report')).toBe(true);
  context.addUnit({ uid: 'tank' }, ok);
  await rig.stop();
  await rig.router.report({ uid: 'tank', payload: { format: 'json', value: 1 }, measuredAt: 1 });
  expect([told, rig.heard.filter(({ kind }) => kind === 'report').length]).toEqual([[], 1]);
});
