import { describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN, PROBE_EVERY_MS } from '../../../base/core/circuit-breaker.js';
import type { AttemptResult } from '../../../base/uplinks/outbox/attempt.js';
import { DISABLE_AFTER_MS, MAX_PARALLEL, STOP_GRACE_MS } from '../../../base/uplinks/outbox/endpoint.js';
import { MAX_ITEMS, MAX_OCTETS } from '../../../base/uplinks/outbox/outbox-room.js';
import { SCHEDULE_MS } from '../../../base/uplinks/outbox/retry-schedule.js';
import { settle } from '../../support/manual-clock.js';
import { openTestStore } from '../../support/test-store.js';
import { delivered, failed, startEndpoint } from './endpoint-rig.js';

const gone: AttemptResult = { kind: 'gone', reason: 'answered 410' };

/** Answers when the test says so. */
function heldAnswers() {
  const open = new Map<string, (result: AttemptResult) => void>();
  const answer = (id: string): Promise<AttemptResult> => new Promise((resolve) => open.set(id, resolve));
  const end = async (id: string, result: AttemptResult): Promise<void> => {
    open.get(id)!(result);
    await settle();
  };
  return { open, answer, end };
}

describe('an endpoint', () => {
  it('sends at once, each key in order, keys beside each other, four at a time', async () => {
    const { open, answer, end } = heldAnswers();
    const rig = await startEndpoint({ answer });
    for (const id of ['a1', 'a2', 'b1', 'c1', 'd1', 'e1']) await rig.tell([id], id[0]);
    expect([...open.keys()]).toEqual(['a1', 'b1', 'c1', 'd1']);
    expect(open.size).toBe(MAX_PARALLEL);
    await end('a1', delivered);
    expect([...open.keys()].slice(4)).toEqual(['e1']);
    await end('b1', delivered);
    expect([...open.keys()].at(-1)).toBe('a2');
  });

  it('takes an attempt that throws for a failed one', async () => {
    const rig = await startEndpoint({
      answer: () => {
        throw new SyntaxError('no JSON');
      },
    });
    await rig.tell(['a1']);
    expect(rig.endpoint.status).toMatchObject({ state: 'failing', waiting: 1 });
    rig.answer = () => delivered;
    await rig.clock.advance(SCHEDULE_MS[1]!);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, delivered: 1 });
  });

  it('tries one item along the whole schedule and then makes it a dead letter, said, with its reason', async () => {
    const rig = await startEndpoint({ answer: () => failed });
    await rig.tell(['a1']);
    // the probes of the open breaker come between, and take nothing from the schedule
    for (const waitMs of SCHEDULE_MS) await rig.clock.advance(waitMs);
    await rig.clock.advance(PROBE_EVERY_MS);
    const atS = rig.attempts.map((attempt) => attempt.atS);
    expect(atS.slice(0, FAILURES_TO_OPEN)).toEqual([0, 5, 65, 365, 2165]);
    expect(atS[FAILURES_TO_OPEN]).toBe(2165 + 60);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, dead: 1, delivered: 0 });
    const attempts = SCHEDULE_MS.length;
    expect(rig.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.attempts)).toEqual([
      attempts,
    ]);
    const reason = `answered 500; given up after ${attempts} attempts`;
    expect(await rig.dead()).toMatchObject([{ id: 'a1', key: 'a1', attempts, reason }]);
  }, 60_000);

  it('sends a dead letter again with its id, along the whole schedule', async () => {
    const rig = await startEndpoint({ answer: () => ({ kind: 'rejected', reason: 'answered 400' }) });
    await rig.tell(['a1']);
    const [letter] = await rig.dead();
    expect(letter).toMatchObject({ id: 'a1', attempts: 1, reason: 'answered 400' });
    rig.answer = () => (rig.attempts.length === 2 ? failed : delivered);
    expect(await rig.endpoint.replay([letter!.position])).toBe(1);
    await settle();
    await rig.clock.advance(5_000);
    expect(rig.attempts.map(({ id, body }) => [id, body])).toEqual(Array(3).fill(['a1', 'of a1']));
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, dead: 0, delivered: 1 });
    expect(await rig.dead()).toEqual([]);
  });

  it('sends a dead letter once that two ask for at the same time, and none that is not there', async () => {
    const rig = await startEndpoint({ answer: () => ({ kind: 'rejected', reason: 'answered 400' }) });
    await rig.tell(['a1']);
    const { position } = (await rig.dead())[0]!;
    rig.answer = () => delivered;
    const twice = [rig.endpoint.replay([position]), rig.endpoint.replay([position, position + 1])];
    expect(await Promise.all(twice)).toEqual([1, 0]);
    await settle();
    expect(rig.ids()).toEqual(['a1', 'a1']);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, octets: 0, dead: 0 });
  });

  it('keeps the order of a key over a failure', async () => {
    const rig = await startEndpoint();
    rig.answer = () => (rig.attempts.length === 1 ? failed : delivered);
    await rig.tell(['a1', 'a2', 'a3'], 'a');
    expect(rig.ids()).toEqual(['a1']);
    await rig.clock.advance(5_000);
    expect(rig.ids()).toEqual(['a1', 'a1', 'a2', 'a3']);
  });

  it('is left alone after five failures, but for one probe a minute, and catches up when it is back', async () => {
    const rig = await startEndpoint({ answer: () => failed });
    await rig.tell(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const before = rig.attempts.length;
    expect(before).toBeGreaterThanOrEqual(FAILURES_TO_OPEN);
    expect(before).toBeLessThanOrEqual(FAILURES_TO_OPEN + MAX_PARALLEL - 1);
    await rig.clock.advance(PROBE_EVERY_MS - 1);
    expect(rig.attempts.length).toBe(before);
    await rig.clock.advance(1);
    expect(rig.attempts.length).toBe(before + 1);
    await rig.clock.advance(3 * PROBE_EVERY_MS);
    expect(rig.attempts.length).toBe(before + 4);
    expect(rig.endpoint.status.state).toBe('failing');
    rig.answer = () => delivered;
    await rig.clock.advance(PROBE_EVERY_MS);
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 0, delivered: 7 });
    expect(rig.clock.waiting).toBe(0);
  });

  it('waits as long as the receiver asks, also past the probe', async () => {
    const rig = await startEndpoint({
      answer: () => ({ kind: 'failed', reason: 'answered 429', retryAfterMs: 600_000 }),
    });
    await rig.tell(['a']);
    rig.answer = () => delivered;
    await rig.tell(['b']);
    await rig.clock.advance(599_999);
    expect(rig.attempts.length).toBe(1);
    await rig.clock.advance(1);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, delivered: 2 });
  });

  it('goes on after one item that the receiver will never take', async () => {
    const rig = await startEndpoint({
      answer: (id) => (id === 'a1' ? { kind: 'rejected', reason: 'answered 404' } : delivered),
    });
    await rig.tell(['a1', 'a2'], 'a');
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 0, delivered: 1, dead: 1 });
  });

  it('stops: lets an attempt end, cuts it off after 2 s, leaves no timer, and may be stopped twice', async () => {
    const rig = await startEndpoint();
    rig.answer = () =>
      new Promise((resolve) => rig.attempts[0]!.signal.addEventListener('abort', () => resolve(failed)));
    await rig.tell(['a1', 'a2'], 'a');
    let isStopped = false;
    const stopping = rig.endpoint.stop().then(() => {
      isStopped = true;
    });
    await rig.clock.advance(STOP_GRACE_MS - 1);
    expect(isStopped).toBe(false);
    await rig.clock.advance(1);
    await stopping;
    await rig.endpoint.stop();
    expect([rig.clock.waiting, rig.attempts.length]).toEqual([0, 1]);
    // What we cut short ourselves says nothing of the receiver.
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 2 });
  });

  it('stops: goes on with all that is due while it gets through, and leaves what is to be tried later', async () => {
    const rig = await startEndpoint({ answer: (id) => (id === 'b1' ? failed : delivered) });
    await rig.tell(['b1', 'b2'], 'b');
    let answerFirst!: () => void;
    rig.answer = (id) => (id === 'a1' ? new Promise((resolve) => (answerFirst = () => resolve(delivered))) : delivered);
    await rig.tell(['a1', 'a2', 'a3'], 'a');
    const stopping = rig.endpoint.stop();
    await rig.clock.advance(STOP_GRACE_MS - 1);
    answerFirst();
    await stopping;
    expect(rig.ids()).toEqual(['b1', 'a1', 'a2', 'a3']);
    expect(rig.endpoint.status).toMatchObject({ waiting: 2, delivered: 3 });
    expect(rig.clock.waiting).toBe(0);
  });

  it('keeps what it is told after it was stopped, and sends none of it', async () => {
    const rig = await startEndpoint();
    await rig.endpoint.stop();
    await rig.tell(['a1']);
    await rig.clock.advance(PROBE_EVERY_MS);
    expect(rig.ids()).toEqual([]);
    expect((await rig.store.engine.queue('test').load()).entries).toMatchObject([{ id: 'a1', attempts: 0 }]);
  });
});

describe('the bounds of an endpoint', () => {
  it('are those of the documentation', () => {
    expect([MAX_ITEMS, MAX_OCTETS]).toEqual([10_000, 64 * 1024 * 1024]);
  });

  it('of items: what is past it is a dead letter at once, said; what waits stays', async () => {
    const rig = await startEndpoint({ maxItems: 10, answer: () => failed });
    await rig.tell(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'], 'a');
    expect(rig.endpoint.status).toMatchObject({ waiting: 10, refused: 0, dead: 0 });
    expect(rig.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
    await rig.tell(['11', '12'], 'b');
    expect(rig.endpoint.status).toMatchObject({ waiting: 10, refused: 2, dead: 2 });
    const reason = 'the outbox is full: 10 items wait already';
    expect(await rig.dead()).toMatchObject(['11', '12'].map((id) => ({ id, attempts: 0, reason })));
    const said = rig.log.lines.filter(({ level }) => level === 'error');
    expect(said.map(({ message, fields }) => [message, fields.reason])).toEqual([
      ['not taken: it is a dead letter', reason],
    ]);
    rig.answer = () => delivered;
    await rig.clock.advance(5_000);
    expect(rig.ids()).not.toContain('11');
    await rig.tell(['13']);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, delivered: 11, refused: 2 });
  });

  it('count what is on its way to the disk', async () => {
    const rig = await startEndpoint({ maxItems: 3, answer: () => failed });
    await Promise.all(['1', '2', '3', '4'].map((id) => rig.record(id)));
    expect(rig.endpoint.status).toMatchObject({ waiting: 3, refused: 1, dead: 1 });
  });

  it('of octets: taken at it, refused one octet past it', async () => {
    // 128 for each item, its id, and "of " and its id again
    const each = 128 + 1 + 'of 1'.length;
    for (const [maxOctets, waiting] of [
      [3 * each, 3],
      [3 * each - 1, 2],
    ] as const) {
      const rig = await startEndpoint({ maxOctets, answer: () => failed });
      await rig.tell(['1', '2', '3'], 'a');
      expect(rig.endpoint.status).toMatchObject({ waiting, octets: waiting * each, refused: 3 - waiting });
      if (waiting === 3) continue;
      expect(await rig.dead()).toMatchObject([
        { id: '3', reason: `the outbox is full: ${maxOctets} octets wait already` },
      ]);
    }
  });

  it('of one key, where only the newest count: the oldest of that key goes, and never what is being sent', async () => {
    const { answer, open, end } = heldAnswers();
    const rig = await startEndpoint({ maxItemsPerKey: 3, answer });
    await rig.tell(['b1'], 'b');
    await rig.tell(['a1', 'a2', 'a3'], 'a');
    expect(rig.endpoint.status).toMatchObject({ waiting: 4, refused: 0 });
    await rig.tell(['a4', 'a5'], 'a');
    expect(rig.endpoint.status).toMatchObject({ waiting: 4, refused: 2, dead: 0 });
    expect(rig.log.lines.map(({ fields }) => fields.unit)).toEqual(['a']);
    const { entries } = await rig.store.engine.queue('test').load();
    expect(entries.map(({ id }) => id)).toEqual(['b1', 'a1', 'a4', 'a5']);
    for (const id of ['b1', 'a1', 'a4', 'a5']) await end(id, delivered);
    expect([...open.keys()]).toEqual(['b1', 'a1', 'a4', 'a5']);
  });
});

describe('an endpoint that is disabled', () => {
  it('because its receiver is gone takes nothing more, and what waited is dead letters', async () => {
    const rig = await startEndpoint({ answer: () => gone });
    rig.answer = () => (rig.attempts.length === 1 ? failed : gone);
    await rig.tell(['a1', 'a2'], 'a');
    await rig.clock.advance(5_000);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', reason: 'answered 410', waiting: 0, dead: 2 });
    await rig.tell(['a3'], 'a');
    await rig.clock.advance(10 * PROBE_EVERY_MS);
    expect(rig.ids()).toEqual(['a1', 'a1']);
    expect(rig.endpoint.status).toMatchObject({ dead: 2, refused: 1 });
    const reason = 'the receiver is disabled: answered 410';
    expect(await rig.dead()).toMatchObject([
      { id: 'a1', attempts: 1, reason },
      { id: 'a2', attempts: 0, reason },
    ]);
    const errors = rig.log.lines.filter(({ level }) => level === 'error');
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining('baseunit outbox enable test')]);
    expect(rig.clock.waiting).toBe(0);
  });

  it('goes on in order when it is enabled and its dead letters are replayed', async () => {
    const rig = await startEndpoint({ answer: () => gone });
    await rig.tell(['a1'], 'a');
    rig.endpoint.enable();
    rig.answer = () => failed;
    await rig.tell(['a2', 'a3'], 'a');
    rig.answer = () => gone;
    await rig.clock.advance(5_000);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', waiting: 0, dead: 3 });
    const letters = await rig.dead();
    expect(letters.map(({ id }) => id)).toEqual(['a1', 'a2', 'a3']);
    const { answer, end } = heldAnswers();
    rig.answer = answer;
    rig.endpoint.enable();
    rig.endpoint.enable();
    await rig.tell(['a4', 'a5'], 'a');
    rig.attempts.length = 0;
    expect(await rig.endpoint.replay(letters.map(({ position }) => position))).toBe(3);
    await settle();
    for (const id of ['a4', 'a1', 'a2', 'a3', 'a5']) await end(id, delivered);
    expect(rig.ids()).toEqual(['a1', 'a2', 'a3', 'a5']);
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 0, dead: 0, delivered: 5 });
    expect(await rig.dead()).toEqual([]);
  });

  it('says again that it fails, once it was enabled', async () => {
    const rig = await startEndpoint({ answer: () => failed });
    rig.answer = () => (rig.attempts.length === 1 ? failed : gone);
    await rig.tell(['a1']);
    await rig.clock.advance(5_000);
    rig.answer = () => failed;
    rig.endpoint.enable();
    await rig.tell(['a2']);
    expect(rig.log.lines.filter(({ message }) => message.startsWith('not delivered')).length).toBe(2);
  });

  it('is so after failing for 5 days, and not before', async () => {
    const rig = await startEndpoint({ answer: () => failed });
    const dayMs = 24 * 3_600_000;
    await rig.tell(['first']);
    for (let day = 0; day * dayMs < DISABLE_AFTER_MS - dayMs; day += 1) {
      await rig.tell([`day ${day}`]);
      await rig.clock.advance(dayMs);
      expect(rig.endpoint.status.state).toBe('failing');
    }
    await rig.tell(['last']);
    await rig.clock.advance(dayMs - 2 * PROBE_EVERY_MS);
    expect(rig.endpoint.status.state).toBe('failing');
    await rig.clock.advance(3 * PROBE_EVERY_MS);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', reason: 'failing for 5 days', waiting: 0 });
  }, 60_000);

  it('does not bring back what was being sent when it was disabled', async () => {
    const { answer, end } = heldAnswers();
    const rig = await startEndpoint({ answer });
    await rig.tell(['a', 'b', 'c', 'd']);
    // all of it in one turn: the failure comes before the disk has the dead letters
    const ends = [end('a', gone), end('b', failed), end('c', { kind: 'rejected', reason: 'answered 400' })];
    await Promise.all(ends);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', waiting: 0, dead: 4, delivered: 0 });
    expect((await rig.dead()).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    await end('d', delivered);
    expect(rig.endpoint.status).toMatchObject({ dead: 3, delivered: 1 });
    expect((await rig.dead()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    const { entries, dead } = await rig.store.engine.queue('test').load();
    expect([entries, dead]).toEqual([[], 3]);
  });

  it('makes a dead letter of what was on its way to the disk', async () => {
    const { answer, end } = heldAnswers();
    const rig = await startEndpoint({ answer });
    await rig.tell(['a']);
    rig.store.disk.isHeld = () => true;
    const recording = rig.record('b');
    await end('a', gone);
    rig.store.disk.isHeld = undefined;
    await recording;
    await settle();
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', waiting: 0, dead: 2 });
    expect((await rig.dead()).map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('an endpoint whose store fails', () => {
  it('delivers nothing of what could not be stored, says so to whoever asked, and has its room again', async () => {
    const rig = await startEndpoint({ maxItems: 2 });
    rig.store.disk.isFull = true;
    for (const id of ['a', 'b', 'c'])
      await expect(rig.record(id)).rejects.toMatchObject({ family: 'store', code: 'store-failed' });
    await settle();
    expect([rig.ids(), rig.notStored]).toEqual([[], ['a', 'b', 'c']]);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, refused: 0, dead: 0 });
    rig.store.disk.isFull = false;
    rig.answer = () => failed;
    await rig.tell(['d', 'e', 'f']);
    expect(rig.endpoint.status).toMatchObject({ waiting: 2, refused: 1, dead: 1 });
    expect(rig.notStored).toEqual(['a', 'b', 'c']);
  });

  it('tells also of what would have been a dead letter', async () => {
    const rig = await startEndpoint({ maxItems: 0 });
    rig.store.disk.isFull = true;
    await expect(rig.record('a')).rejects.toMatchObject({ code: 'store-failed' });
    expect([rig.notStored, rig.endpoint.status.dead]).toEqual([['a'], 0]);
  });

  it('writes again what the disk did not take, once it does', async () => {
    const { answer, end } = heldAnswers();
    const rig = await startEndpoint({ answer });
    await rig.tell(['a', 'b', 'c']);
    rig.store.disk.isFull = true;
    await end('a', delivered);
    await end('b', failed);
    await end('c', { kind: 'rejected', reason: 'answered 400' });
    await rig.store.storeClock.advance(3_000);
    const { storeClock, engine, disk } = rig.store;
    expect((await engine.queue('test').load()).entries.map(({ id, attempts }) => [id, attempts])).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ]);
    disk.isFull = false;
    await storeClock.advance(1_000);
    const { entries, dead } = await engine.queue('test').load();
    expect([entries.map(({ id, attempts }) => [id, attempts]), dead]).toEqual([[['b', 1]], 1]);
  });

  it('reads again after 5 s what could not be read, said once, also where the receiver fails too', async () => {
    const rig = await startEndpoint({ answer: () => failed });
    await rig.tell(['a', 'b', 'c', 'd', 'e']);
    expect(rig.attempts.length).toBeGreaterThanOrEqual(FAILURES_TO_OPEN);
    rig.attempts.length = 0;
    rig.store.disk.isUnreadable = true;
    const before = rig.store.disk.reads;
    await rig.clock.advance(PROBE_EVERY_MS);
    await settle();
    expect(rig.store.disk.reads - before).toBe(1);
    await rig.clock.advance(10_000);
    expect(rig.store.disk.reads - before).toBe(3);
    expect(rig.log.lines.filter(({ level }) => level === 'error').length).toBe(1);
    expect(rig.attempts).toEqual([]);
    rig.store.disk.isUnreadable = false;
    rig.answer = () => delivered;
    await rig.clock.advance(5_000);
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 0, delivered: 5 });
  });

  it('passes over what was erased while it waited', async () => {
    const rig = await startEndpoint();
    rig.answer = () => (rig.attempts.length === 1 ? failed : delivered);
    await rig.tell(['a1', 'a2'], 'a');
    await rig.tell(['b1'], 'b');
    await rig.store.engine.store.forget('a');
    await rig.clock.advance(5_000);
    expect(rig.ids()).toEqual(['a1', 'b1']);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, octets: 0, dead: 0 });
  });

  it('cannot begin where what waits cannot be read', async () => {
    const store = await openTestStore();
    store.disk.isUnreadable = true;
    await expect(startEndpoint({ store })).rejects.toThrow('disk I/O error');
  });
});
