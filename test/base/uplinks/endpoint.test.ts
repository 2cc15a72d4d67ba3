import { describe, expect, it } from 'vitest';
import { FAILURES_TO_OPEN, PROBE_EVERY_MS } from '../../../base/uplinks/webhooks/circuit-breaker.js';
import type { DeliveryResult } from '../../../base/uplinks/webhooks/deliver.js';
import { DISABLE_AFTER_MS, Endpoint, MAX_PARALLEL, STOP_GRACE_MS } from '../../../base/uplinks/webhooks/endpoint.js';
import { MemoryOutbox } from '../../../base/uplinks/webhooks/memory-outbox.js';
import { SCHEDULE_MS } from '../../../base/uplinks/webhooks/retry-schedule.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { QuietLog } from '../../support/quiet-log.js';
import { fixedRandom } from './fixed-random.js';

const delivered: DeliveryResult = { kind: 'delivered', status: 200 };
const failed: DeliveryResult = { kind: 'failed', reason: 'answered 500' };

/** An endpoint over a receiver that answers as `answer` says at that moment. */
function makeEndpoint(options: { maxItems?: number } = {}) {
  const clock = new ManualClock();
  const log = new QuietLog();
  const attempts: { id: string; atS: number; signal: AbortSignal }[] = [];
  const rig = {
    clock,
    log,
    attempts,
    answer: (() => delivered) as (id: string) => DeliveryResult | Promise<DeliveryResult>,
  };
  const endpoint = new Endpoint({
    label: 'test',
    deliver: async ({ id }, signal) => {
      attempts.push({ id, atS: clock.monotonic() / 1_000, signal });
      return rig.answer(id);
    },
    outbox: new MemoryOutbox(options),
    clock,
    random: fixedRandom(0.5),
    log,
  });
  const add = (id: string, key = id): void => endpoint.add({ id, key, body: '{}' });
  return Object.assign(rig, { endpoint, add });
}

describe('an endpoint', () => {
  it('sends at once, each key in order, keys beside each other, four at a time', async () => {
    const rig = makeEndpoint();
    const open = new Map<string, (result: DeliveryResult) => void>();
    rig.answer = (id) => new Promise((resolve) => open.set(id, resolve));
    for (const id of ['a1', 'a2', 'b1', 'c1', 'd1', 'e1']) rig.add(id, id[0]);
    await settle();
    expect([...open.keys()]).toEqual(['a1', 'b1', 'c1', 'd1']);
    expect(open.size).toBe(MAX_PARALLEL);
    open.get('a1')!(delivered);
    await settle();
    expect([...open.keys()].slice(4).sort()).toEqual(['e1']);
    open.get('b1')!(delivered);
    await settle();
    expect([...open.keys()].at(-1)).toBe('a2');
  });

  it('tries one item along the whole schedule and then gives it up, said', async () => {
    const rig = makeEndpoint();
    rig.answer = () => failed;
    rig.add('a1');
    await settle();
    // the probes of the open breaker come between, and take nothing from the schedule
    for (const waitMs of SCHEDULE_MS) await rig.clock.advance(waitMs);
    await rig.clock.advance(PROBE_EVERY_MS);
    const atS = rig.attempts.map((attempt) => attempt.atS);
    expect(atS.slice(0, FAILURES_TO_OPEN)).toEqual([0, 5, 65, 365, 2165]);
    expect(atS[FAILURES_TO_OPEN]).toBe(2165 + 60);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, givenUp: 1, delivered: 0 });
    expect(rig.log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.attempts)).toEqual([
      SCHEDULE_MS.length,
    ]);
  });

  it('keeps the order of a key over a failure', async () => {
    const rig = makeEndpoint();
    rig.answer = () => (rig.attempts.length === 1 ? failed : delivered);
    for (const id of ['a1', 'a2', 'a3']) rig.add(id, 'a');
    await settle();
    expect(rig.attempts.map(({ id }) => id)).toEqual(['a1']);
    await rig.clock.advance(5_000);
    expect(rig.attempts.map(({ id }) => id)).toEqual(['a1', 'a1', 'a2', 'a3']);
  });

  it('is left alone after five failures, but for one probe a minute, and catches up when it is back', async () => {
    const rig = makeEndpoint();
    rig.answer = () => failed;
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) rig.add(id);
    await settle();
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
    const rig = makeEndpoint();
    rig.answer = () => ({ kind: 'failed', reason: 'answered 429', retryAfterMs: 600_000 });
    rig.add('a');
    await settle();
    rig.answer = () => delivered;
    rig.add('b');
    await rig.clock.advance(599_999);
    expect(rig.attempts.length).toBe(1);
    await rig.clock.advance(1);
    expect(rig.endpoint.status).toMatchObject({ waiting: 0, delivered: 2 });
  });

  it('is disabled when the receiver says it is gone', async () => {
    const rig = makeEndpoint();
    rig.answer = () => ({ kind: 'gone', reason: 'answered 410' });
    for (const id of ['a1', 'a2']) rig.add(id, 'a');
    await settle();
    rig.add('a3', 'a');
    await rig.clock.advance(PROBE_EVERY_MS);
    expect(rig.attempts.length).toBe(1);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', waiting: 0, givenUp: 3 });
    expect(rig.log.lines.filter(({ level }) => level === 'error').length).toBe(1);
  });

  it('is disabled after failing for 5 days, and not before', async () => {
    const rig = makeEndpoint();
    rig.answer = () => failed;
    const dayMs = 24 * 3_600_000;
    rig.add('first');
    await settle();
    for (let day = 0; day * dayMs < DISABLE_AFTER_MS - dayMs; day += 1) {
      rig.add(`day ${day}`);
      await rig.clock.advance(dayMs);
      expect(rig.endpoint.status.state).toBe('failing');
    }
    rig.add('last');
    await rig.clock.advance(dayMs - 2 * PROBE_EVERY_MS);
    expect(rig.endpoint.status.state).toBe('failing');
    await rig.clock.advance(3 * PROBE_EVERY_MS);
    expect(rig.endpoint.status).toMatchObject({ state: 'disabled', waiting: 0 });
  }, 60_000);

  it('counts and says what it drops when the outbox is full', async () => {
    const rig = makeEndpoint({ maxItems: 10 });
    rig.answer = () => failed;
    for (let index = 0; index < 20; index += 1) rig.add(String(index), 'a');
    await settle();
    expect(rig.endpoint.status).toMatchObject({ waiting: 10, dropped: 10 });
    expect(rig.log.lines.filter(({ message }) => message.includes('outbox full')).length).toBe(1);
  });

  it('goes on after one item that the receiver will never take', async () => {
    const rig = makeEndpoint();
    rig.answer = (id) => (id === 'a1' ? { kind: 'rejected', reason: 'answered 404' } : delivered);
    for (const id of ['a1', 'a2']) rig.add(id, 'a');
    await settle();
    expect(rig.endpoint.status).toMatchObject({ state: 'working', waiting: 0, delivered: 1, givenUp: 1 });
  });

  it('stops: lets an attempt end, cuts it off after 2 s, leaves no timer, and may be stopped twice', async () => {
    const rig = makeEndpoint();
    rig.answer = () =>
      new Promise((resolve) => rig.attempts[0]!.signal.addEventListener('abort', () => resolve(failed)));
    for (const id of ['a1', 'a2']) rig.add(id, 'a');
    await settle();
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
    expect(rig.log.lines.map(({ fields }) => fields.waiting)).toEqual([2]);
  });
});
