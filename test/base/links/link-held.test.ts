import { describe, expect, test } from 'vitest';
import { STABLE_MS } from '../../../base/links/link.js';
import { LinkError, ProtocolError } from '../../../protocol/errors.js';
import { rig } from './fake-unit.js';

const lost = new LinkError('link-lost', 'the unit closed the connection');

describe('a held link', () => {
  test('is opened at once and stays', async () => {
    const { clock, unit, link, states } = rig('held');
    link.start();
    await clock.advance(0);
    expect(states).toEqual(['opening', 'up']);
    await clock.advance(3_600_000);
    expect(unit.sessions).toHaveLength(1);
    await link.stop();
  });

  test('is there again within the bound of its back-off after it was lost', async () => {
    const { clock, unit, link, states } = rig('held', { fraction: 0.999 });
    link.start();
    await clock.advance(STABLE_MS);
    unit.last.end(lost);
    await clock.advance(1_000);
    expect(unit.sessions).toHaveLength(2);
    expect(states).toEqual(['opening', 'up', 'failed', 'opening', 'up']);
    await link.stop();
  });

  test('is tried after 1, 2, 4 … 60 s at most while the unit is away', async () => {
    const { clock, unit, link } = rig('held', { fraction: 0.999_999 });
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    await clock.advance(400_000);
    const waits = unit.attempts.slice(1).map((at, index) => Math.round((at - unit.attempts[index]!) / 1_000));
    expect(waits.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('a link that flaps does not start the back-off anew; one that was up for 60 s does', async () => {
    const { clock, unit, link } = rig('held', { fraction: 0.999_999 });
    link.start();
    await clock.advance(0);
    for (const waitMs of [1_000, 2_000, 4_000]) {
      unit.last.end(lost);
      const before = unit.sessions.length;
      await clock.advance(waitMs - 10);
      expect(unit.sessions).toHaveLength(before);
      await clock.advance(10);
      expect(unit.sessions).toHaveLength(before + 1);
    }
    await clock.advance(STABLE_MS);
    unit.last.end(lost);
    const before = unit.sessions.length;
    await clock.advance(1_000);
    expect(unit.sessions).toHaveLength(before + 1);
    await link.stop();
  });

  test.each([0, 0.000_001])('a jitter of %d dials in no tight loop', async (fraction) => {
    const { clock, unit, link } = rig('held', { fraction });
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    await clock.advance(1_000);
    expect(unit.attempts.length).toBeLessThanOrEqual(21);
    await link.stop();
  });

  test('pings after 15 s without inbound octets, and again 15 s after each answer', async () => {
    const { clock, unit, link } = rig('held');
    link.start();
    await clock.advance(14_999);
    expect(unit.last.pings).toBe(0);
    await clock.advance(1);
    expect(unit.last.pings).toBe(1);
    await clock.advance(15_000);
    expect(unit.last.pings).toBe(2);
    await clock.advance(15_000);
    expect(unit.last.pings).toBe(3);
    await link.stop();
  });

  test('an answer that takes its time puts the next ping off by no more than that', async () => {
    const { clock, unit, link } = rig('held');
    unit.answersPings = false;
    link.start();
    for (let pings = 1; pings <= 4; pings += 1) {
      await clock.advance(15_000);
      expect(unit.last.pings).toBe(pings);
      await clock.advance(100);
      unit.last.inbound();
    }
    await link.stop();
  });

  test('octets that arrive put the ping off', async () => {
    const { clock, unit, link } = rig('held');
    link.start();
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000);
      unit.last.inbound();
    }
    expect(unit.last.pings).toBe(0);
    await clock.advance(15_000);
    expect(unit.last.pings).toBe(1);
    await link.stop();
  });

  test('a half-open link is found within 45 s, and dialled again', async () => {
    const { clock, unit, link, states } = rig('held', { fraction: 0.1 });
    unit.answersPings = false;
    link.start();
    await clock.advance(44_999);
    expect(states).toEqual(['opening', 'up']);
    await clock.advance(1);
    expect(states.slice(2)).toEqual(['failed']);
    expect(link.state).toMatchObject({ error: { code: 'link-silent' } });
    await clock.advance(200);
    expect(unit.sessions).toHaveLength(2);
    await link.stop();
  });

  test('a wrong key waits 5 min; a command may look again after 10 s, not before', async () => {
    const { clock, unit, link, send } = rig('held');
    unit.refusal = new ProtocolError('key-wrong', 'the unit does not have the key');
    link.start();
    await clock.advance(9_999);
    expect(unit.attempts).toEqual([0]);
    expect(await send(1)).toEqual({ outcome: 'unreachable', reason: 'the unit does not have the key' });
    expect(unit.attempts).toEqual([0]);
    await clock.advance(1);
    const second = send(2);
    await clock.advance(0);
    expect(unit.attempts).toEqual([0, 10_000]);
    expect(await second).toMatchObject({ outcome: 'unreachable' });
    await clock.advance(299_999);
    expect(unit.attempts).toHaveLength(2);
    await clock.advance(1);
    expect(unit.attempts).toHaveLength(3);
    await link.stop();
  });

  test('a command to a unit that is up goes at once, and keeps no timer', async () => {
    const { clock, unit, link, send } = rig('held');
    link.start();
    await clock.advance(0);
    const timers = clock.waiting;
    expect(await send(5)).toEqual({ outcome: 'ok' });
    expect(unit.delivered).toEqual([5]);
    expect(clock.waiting).toBe(timers);
    await link.stop();
  });
});

describe('stop', () => {
  test('while it waits for the next attempt: no timer is left', async () => {
    const { clock, unit, link, table } = rig('held');
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    await clock.advance(0);
    await link.stop();
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
    expect(table.size).toBe(0);
  });

  test('while it opens: the attempt is aborted, nothing is left', async () => {
    const { clock, unit, link, states, table } = rig('held');
    unit.hangs = true;
    link.start();
    await clock.advance(0);
    expect(states).toEqual(['opening']);
    await link.stop();
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
    expect(table.size).toBe(0);
    expect(states).toEqual(['opening', 'down']);
  });

  test('while it is up: says goodbye, may be called twice, nothing is left', async () => {
    const { clock, unit, link, table } = rig('held');
    link.start();
    await clock.advance(0);
    await Promise.all([link.stop(), link.stop()]);
    await clock.advance(600_000);
    expect(unit.last.closedFor).toBe('stopping');
    expect(unit.sessions).toHaveLength(1);
    expect(clock.waiting).toBe(0);
    expect(table.size).toBe(0);
  });

  test.each(['held', 'onDemand', 'accepted'] as const)('%s: a patient command ends with it', async (policy) => {
    const { clock, unit, link, send } = rig(policy);
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    const patient = send(1, { isPatient: true, waitMs: 86_400_000 });
    await clock.advance(10);
    await link.stop();
    expect(await patient).toEqual({ outcome: 'unreachable', reason: 'the base is stopping' });
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
    expect(await send(2)).toEqual({ outcome: 'unreachable', reason: 'the base is stopping' });
  });

  test('a unit that is seen while it is dialled elsewhere is dialled again as soon as that has failed, once', async () => {
    const { clock, unit, link } = rig('held', { fraction: 1 });
    unit.refusal = new LinkError('connect-timeout', 'nobody there');
    unit.refusesAfterMs = 5_000;
    link.start();
    await clock.advance(4_000);
    link.hurry();
    await clock.advance(1_000);
    expect(unit.attempts).toEqual([0, 5_000]);
    await clock.advance(6_999);
    expect(unit.attempts).toEqual([0, 5_000]);
    await clock.advance(1);
    expect(unit.attempts).toEqual([0, 5_000, 12_000]);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });
});
