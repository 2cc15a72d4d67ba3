import { describe, expect, test } from 'vitest';
import { delay } from '../../../base/core/clock.js';
import { LinkError, ProtocolError } from '../../../protocol/errors.js';
import { rig } from './fake-unit.js';

describe('a link to a unit that dials in', () => {
  test('is never dialled; a command without a time to live is unreachable at once', async () => {
    const { clock, unit, link, send } = rig('accepted');
    link.start();
    expect(await send(1)).toEqual({ outcome: 'unreachable', reason: 'the unit is not connected; it dials in itself' });
    await clock.advance(600_000);
    expect(unit.attempts).toEqual([]);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('a patient command is delivered when the unit comes', async () => {
    const { clock, unit, link, send } = rig('accepted');
    const sent = send(1, { isPatient: true, waitMs: 600_000 });
    await clock.advance(100_000);
    void link.adopt(unit.dial);
    await clock.advance(0);
    expect(await sent).toEqual({ outcome: 'ok' });
    await link.stop();
  });

  test('stays up without commands, is pinged, and is dead after 45 s of silence', async () => {
    const { clock, unit, link, states } = rig('accepted');
    const ended = link.adopt(unit.dial);
    await clock.advance(100_000);
    expect(unit.open.size).toBe(1);
    unit.answersPings = false;
    await clock.advance(60_000);
    await ended;
    expect(states).toEqual(['opening', 'up', 'failed']);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('the newest of several connections wins, and they are never up together', async () => {
    const { clock, unit, link, states, table } = rig('accepted');
    unit.closesAtOnce = false;
    const first = link.adopt(unit.dial);
    await clock.advance(0);
    const second = link.adopt(unit.dial);
    const third = link.adopt(unit.dial);
    await clock.advance(0);
    expect(unit.sessions).toHaveLength(1);
    expect(unit.last.closedFor).toBe('replaced');
    unit.last.end(undefined);
    await clock.advance(0);
    await Promise.all([first, second]);
    expect(unit.sessions).toHaveLength(2);
    expect(unit.mostOpen).toBe(1);
    expect(states).toEqual(['opening', 'up', 'down', 'opening', 'up']);
    unit.closesAtOnce = true;
    await link.stop();
    await third;
    await clock.advance(0);
    expect(table.size).toBe(0);
  });

  test('a newer connection ends one that is still opening', async () => {
    const { clock, unit, link, states } = rig('accepted');
    unit.hangs = true;
    const first = link.adopt(unit.dial);
    await clock.advance(0);
    unit.hangs = false;
    void link.adopt(unit.dial);
    await clock.advance(0);
    await first;
    expect(states.at(-1)).toBe('up');
    await link.stop();
  });

  test('one that cannot be opened is told as failed', async () => {
    const { clock, unit, link } = rig('accepted');
    unit.refusal = new ProtocolError('definition-unexpected', 'another definition');
    await link.adopt(unit.dial);
    expect(link.state).toMatchObject({ kind: 'failed', error: { code: 'definition-unexpected' } });
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('after stop nothing is adopted', async () => {
    const { clock, unit, link, states } = rig('accepted');
    await link.stop();
    await link.adopt(unit.dial);
    expect(unit.sessions).toEqual([]);
    expect(states).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  test('the unit sleeps: the link is lost, a patient command waits for the next time', async () => {
    const { clock, unit, link, send } = rig('accepted');
    void link.adopt(unit.dial);
    await clock.advance(0);
    unit.last.end(new LinkError('link-lost', 'the unit sleeps'));
    const sent = send(4, { isPatient: true, waitMs: 600_000 });
    await clock.advance(300_000);
    void link.adopt(unit.dial);
    await clock.advance(0);
    expect(await sent).toEqual({ outcome: 'ok' });
    await link.stop();
  });

  test('what was sent before and not answered stays in doubt when the unit falls asleep over its repetition', async () => {
    const { clock, unit, link, send } = rig('accepted');
    const visit = async (life: string, code: 'link-lost' | 'link-asleep'): Promise<void> => {
      unit.life = life;
      unit.lostError = new LinkError(code, code);
      void link.adopt(unit.dial);
      await clock.advance(100);
    };
    unit.react = () => 'lost';
    const sent = send(1, { isPatient: true, waitMs: 600_000 });
    await visit('1/7', 'link-lost');
    await visit('1/7', 'link-asleep');
    expect(unit.delivered).toEqual([1, 1]);
    await visit('2/8', 'link-asleep');
    expect(await sent).toEqual({ outcome: 'unknown', reason: 'the unit restarted before it answered' });
    const resumed = send(2, { isPatient: true, waitMs: 600_000, sentIn: '2/8' });
    await visit('2/8', 'link-asleep');
    await visit('3/9', 'link-asleep');
    expect(await resumed).toMatchObject({ outcome: 'unknown' });
    expect(unit.delivered).toEqual([1, 1, 2]);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('a command whose time is over when it is stored as sent is not sent', async () => {
    const { clock, unit, link, send } = rig('accepted');
    const late = { waitMs: 5_000, sending: () => delay(clock, 5_000) };
    void link.adopt(unit.dial);
    await clock.advance(0);
    const sent = [send(1, late), send(2, { ...late, sentIn: unit.life }), send(3, { ...late, waitMs: 5_001 })];
    await clock.advance(5_000);
    expect(await Promise.all(sent)).toMatchObject([{ outcome: 'expired' }, { outcome: 'unknown' }, { outcome: 'ok' }]);
    expect(unit.delivered).toEqual([3]);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });
});
