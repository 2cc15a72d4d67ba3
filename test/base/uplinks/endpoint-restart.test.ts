import { afterEach, describe, expect, it } from 'vitest';
import { PROBE_EVERY_MS } from '../../../base/core/circuit-breaker.js';
import type { AttemptResult } from '../../../base/uplinks/outbox/attempt.js';
import { DISABLE_AFTER_MS, TRIED_AT_LEAST_MS } from '../../../base/uplinks/outbox/endpoint.js';
import { SCHEDULE_MS } from '../../../base/uplinks/outbox/retry-schedule.js';
import { settle } from '../../support/manual-clock.js';
import { openTestStore, type TestStore, temporaryStoreFile } from '../../support/test-store.js';
import { delivered, type EndpointRigOptions, failed, startEndpoint } from './endpoint-rig.js';

const begin = Date.UTC(2026, 5, 1);
const hourMs = 3_600_000;
const gone: AttemptResult = { kind: 'gone', reason: 'answered 410' };
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function makeFile(): string {
  const [file, remove] = temporaryStoreFile();
  cleanUps.push(remove);
  return file;
}

type Options = Omit<EndpointRigOptions, 'store'>;

/** The base begins: it opens the file, and then its receiver. */
async function start(file: string, options: Options = {}) {
  const store = await openTestStore(file, options.now);
  cleanUps.push(() => store.end());
  return startEndpoint({ now: begin, ...options, store });
}

type Rig = Awaited<ReturnType<typeof start>>;

/** The base ends in order and begins again, with the machine's clock at `now`. */
async function restart({ stop, store, clock }: Rig, options: Options = {}): Promise<Rig> {
  await stop();
  await store.engine.close();
  return start(store.file, { now: clock.now(), ...options });
}

/** The base is killed where it stands, and begins again with what is on disk. */
const revive = ({ store, clock }: { store: TestStore; clock: Rig['clock'] }, options: Options = {}): Promise<Rig> =>
  start(store.copy(), { now: clock.now(), ...options });

describe('what waits for a receiver when the base ends', () => {
  it('is delivered by the next run, with the same ids and bodies, in order for each key', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a1', 'a2', 'a3'], 'a');
    await first.tell(['b1', 'b2'], 'b');
    const next = await restart(first, { answer: () => delivered });
    expect(next.endpoint.status).toMatchObject({ state: 'failing', waiting: 5, delivered: 0 });
    expect(next.log.lines.map(({ fields }) => fields.waiting)).toEqual([5]);
    await next.clock.advance(5_000);
    expect(next.ids().sort()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2']);
    for (const key of ['a', 'b'])
      expect(next.ids().filter((id) => id.startsWith(key))).toEqual(
        [...next.ids()].sort().filter((id) => id.startsWith(key)),
      );
    expect(next.attempts.map(({ id, body }) => body === `of ${id}`)).toEqual(Array(5).fill(true));
    expect(next.endpoint.status).toMatchObject({ state: 'working', waiting: 0 });
    const last = await restart(next);
    expect(last.ids()).toEqual([]);
  });

  it('is delivered too when the base was killed', async () => {
    const first = await start(makeFile(), { answer: () => new Promise(() => {}) });
    await first.tell(['a1', 'a2'], 'a');
    const next = await revive(first);
    expect(next.attempts.map(({ id, body }) => [id, body])).toEqual([
      ['a1', 'of a1'],
      ['a2', 'of a2'],
    ]);
  });

  it('is on disk before its sender goes on: a kill in that moment loses nothing', async () => {
    const first = await start(makeFile(), { answer: () => new Promise(() => {}) });
    const copies: Promise<Rig>[] = [];
    for (const id of ['a', 'b', 'c']) await first.record(id).then(() => copies.push(revive(first)));
    const rigs = await Promise.all(copies);
    expect(rigs.map((rig) => rig.ids().sort())).toEqual([['a'], ['a', 'b'], ['a', 'b', 'c']]);
  });

  it('goes on with its schedule where it stood', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a']);
    await first.clock.advance(5_000);
    await first.clock.advance(20_000);
    expect(first.attempts.length).toBe(2);
    const next = await restart(first, { answer: () => failed });
    await next.clock.advance(39_999);
    expect(next.ids()).toEqual([]);
    await next.clock.advance(1);
    expect(next.ids()).toEqual(['a']);
    await next.clock.advance(299_999);
    expect(next.attempts.length).toBe(1);
    await next.clock.advance(1);
    expect(next.attempts.length).toBe(2);
  });

  it('is tried at once when its time came while the base was away', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a']);
    const next = await restart(first, { now: first.clock.now() + hourMs });
    expect(next.ids()).toEqual(['a']);
  });

  it.each([
    ['at 1970', () => 0],
    ['two hours back', (now: number) => now - 2 * hourMs],
    ['a year ahead', (now: number) => now + 8_760 * hourMs],
    ['a century ahead', (now: number) => now + 876_000 * hourMs],
  ])(
    'is never lost nor held back longer than its schedule says by a clock that is %s',
    async (_, nowAt) => {
      for (const attempts of [0, 1, 3, 10]) {
        const first = await start(makeFile(), { answer: attempts === 0 ? () => new Promise(() => {}) : () => failed });
        await first.tell(['a1', 'a2'], 'a');
        for (const waitMs of SCHEDULE_MS.slice(1, attempts)) await first.clock.advance(waitMs);
        const isKept = (await first.store.engine.queue('test').load()).entries;
        expect(isKept.map(({ id, attempts: made }) => [id, made])).toEqual([
          ['a1', attempts],
          ['a2', 0],
        ]);
        const next = await revive(first, { now: nowAt(first.clock.now()) });
        await next.clock.advance(SCHEDULE_MS[attempts]! * 1.2);
        expect(next.ids()).toEqual(['a1', 'a2']);
        expect(next.endpoint.status).toMatchObject({ waiting: 0, dead: 0, delivered: 2 });
      }
    },
    60_000,
  );

  it('waits for its whole time again, and no longer, when the clock was set back', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a']);
    await first.clock.advance(5_000);
    const next = await restart(first, { now: first.clock.now() - 2 * hourMs });
    await next.clock.advance(71_999);
    expect(next.ids()).toEqual([]);
    await next.clock.advance(1);
    expect(next.ids()).toEqual(['a']);
  });

  it('counts against the bounds of the next run', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['1', '2', '3'], 'a');
    const next = await restart(first, { answer: () => failed, maxItems: 3 });
    expect(next.endpoint.status).toMatchObject({ waiting: 3, octets: first.endpoint.status.octets });
    await next.tell(['4'], 'a');
    expect(next.endpoint.status).toMatchObject({ waiting: 3, refused: 1, dead: 1 });
  });

  it('comes before what is told afterwards', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a1'], 'a');
    const next = await restart(first);
    await next.tell(['a2'], 'a');
    expect(next.ids()).toEqual([]);
    await next.clock.advance(5_000);
    expect(next.ids()).toEqual(['a1', 'a2']);
  });
});

describe('what was delivered when the base was killed', () => {
  it('but stands on disk still, is delivered once more with the same id', async () => {
    const first = await start(makeFile());
    first.store.disk.isHeld = ([name]) => name === 'removeItem';
    await first.tell(['a']);
    await first.tell(['b']);
    expect(first.ids()).toEqual(['a', 'b']);
    const next = await revive(first);
    expect(next.attempts.map(({ id, body }) => [id, body])).toEqual([
      ['a', 'of a'],
      ['b', 'of b'],
    ]);
    const last = await revive(next);
    expect(last.ids()).toEqual([]);
  });

  it('and is removed on disk, is not delivered again', async () => {
    const first = await start(makeFile());
    await first.tell(['a', 'b']);
    const next = await revive(first);
    expect([next.ids(), next.endpoint.status.waiting]).toEqual([[], 0]);
  });

  it('costs an attempt of the schedule at most, where a failure is not on disk', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    first.store.disk.isHeld = ([name]) => name === 'retryItem';
    await first.tell(['a']);
    expect(first.ids()).toEqual(['a']);
    const next = await revive(first);
    expect(next.ids()).toEqual(['a']);
  });
});

describe('a disabled receiver', () => {
  it.each([
    ['in order', restart],
    ['by a kill', revive],
  ])('stays disabled when the base ends %s, says so, and can be enabled then', async (_, again) => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a1', 'a2'], 'a');
    first.answer = () => gone;
    await first.clock.advance(5_000);
    const next = await again(first);
    expect(next.endpoint.status).toMatchObject({ state: 'disabled', reason: 'answered 410', waiting: 0, dead: 2 });
    expect(next.log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('outbox enable test')]);
    await next.tell(['a3'], 'a');
    await next.clock.advance(PROBE_EVERY_MS);
    expect([next.ids(), next.endpoint.status.refused]).toEqual([[], 1]);
    next.endpoint.enable();
    const letters = await next.dead();
    expect(await next.endpoint.replay(letters.map(({ position }) => position))).toBe(2);
    await settle();
    expect(next.ids()).toEqual(['a1', 'a2']);
    const last = await restart(next);
    expect(last.endpoint.status).toMatchObject({ state: 'working', waiting: 0, dead: 0 });
  });

  it('is so after 5 days of failures, counted over restarts', async () => {
    let rig = await start(makeFile(), { answer: () => failed });
    await rig.tell(['first']);
    const endsAt = begin + DISABLE_AFTER_MS;
    for (let day = 1; day < 5; day += 1) {
      rig = await restart(rig, { now: begin + day * 24 * hourMs, answer: () => failed });
      await rig.tell([`day ${day}`]);
      expect(rig.endpoint.status.state).toBe('failing');
    }
    rig = await restart(rig, { now: endsAt - hourMs, answer: () => failed });
    await rig.tell(['an hour before']);
    await rig.clock.advance(hourMs - 2 * PROBE_EVERY_MS);
    expect(rig.endpoint.status.state).toBe('failing');
    await rig.tell(['last']);
    await rig.clock.advance(3 * PROBE_EVERY_MS);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', reason: 'failing for 5 days', waiting: 0 });
    const letters = await rig.dead();
    expect(letters.length).toBe(rig.endpoint.status.dead);
  });

  it('does not become so because the base was off for a week: it is tried for an hour at least', async () => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a']);
    const next = await restart(first, { now: begin + 7 * 24 * hourMs, answer: () => failed });
    await next.tell(['b']);
    await next.clock.advance(TRIED_AT_LEAST_MS - 2 * PROBE_EVERY_MS);
    expect(next.endpoint.status).toMatchObject({ state: 'failing', waiting: 2 });
    await next.tell(['c']);
    await next.clock.advance(3 * PROBE_EVERY_MS);
    expect(next.endpoint.status.state).toBe('disabled');
  });

  it('does not become so where something was delivered in between', async () => {
    let rig = await start(makeFile(), { answer: () => failed });
    await rig.tell(['a']);
    rig = await restart(rig, { now: begin + DISABLE_AFTER_MS - hourMs });
    expect(rig.endpoint.status).toMatchObject({ state: 'working', delivered: 1 });
    rig = await restart(rig, { now: begin + DISABLE_AFTER_MS + hourMs, answer: () => failed });
    await rig.tell(['b']);
    expect(rig.endpoint.status.state).toBe('failing');
  });

  it.each([
    ['1970', 0],
    ['two hours back', begin - 2 * hourMs],
    ['ten years ahead', begin + 87_600 * hourMs],
  ])('does not become so by a clock that is at %s', async (_, now) => {
    const first = await start(makeFile(), { answer: () => failed });
    await first.tell(['a']);
    const next = await restart(first, { now, answer: () => failed });
    await next.tell(['b']);
    await next.clock.advance(2 * hourMs);
    expect(next.endpoint.status.state).toBe('failing');
  });
});

describe('dead letters', () => {
  it('outlive the base, with their reason and attempts, and are sent again with their id', async () => {
    const first = await start(makeFile(), { answer: () => ({ kind: 'rejected', reason: 'answered 400' }) });
    await first.tell(['a', 'b']);
    const next = await restart(first);
    expect(next.endpoint.status).toMatchObject({ waiting: 0, dead: 2 });
    const letters = await next.dead();
    expect(letters).toMatchObject(['a', 'b'].map((id) => ({ id, attempts: 1, reason: 'answered 400' })));
    expect(await next.endpoint.deadLetters(letters[0]!.position, 10)).toEqual([letters[1]]);
    expect(await next.endpoint.deadLetters(0, 1)).toEqual([letters[0]]);
    await next.endpoint.replay([letters[1]!.position]);
    await settle();
    expect(next.attempts.map(({ id, body }) => [id, body])).toEqual([['b', 'of b']]);
    expect((await next.dead()).map(({ id }) => id)).toEqual(['a']);
  });

  it('that were asked to be sent again are sent by the next run where this one does not come to it', async () => {
    const first = await start(makeFile(), { answer: () => ({ kind: 'rejected', reason: 'answered 400' }) });
    await first.tell(['a']);
    first.answer = () => new Promise(() => {});
    await first.endpoint.replay((await first.dead()).map(({ position }) => position));
    const next = await revive(first);
    expect(next.ids()).toEqual(['a']);
    expect(next.endpoint.status).toMatchObject({ dead: 0, delivered: 1 });
  });

  it('of a full outbox outlive the base', async () => {
    const first = await start(makeFile(), { answer: () => failed, maxItems: 1 });
    await first.tell(['a', 'b']);
    const next = await revive(first);
    expect(await next.dead()).toMatchObject([{ id: 'b', reason: 'the outbox is full: 1 items wait already' }]);
  });
});
