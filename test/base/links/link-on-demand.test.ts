import { describe, expect, test } from 'vitest';
import { CommandQueue, MAX_WAITING } from '../../../base/core/command-queue.js';
import { IDLE_MS } from '../../../base/links/link.js';
import { LinkError } from '../../../protocol/errors.js';
import { rig } from './fake-unit.js';

const lost = new LinkError('link-lost', 'the unit closed the connection');

describe('an on-demand link', () => {
  test('has no connection while nothing is sent, opens for a command, closes after 2 s idle, and stays closed', async () => {
    const { clock, unit, link, send, states } = rig('onDemand');
    link.start();
    await clock.advance(3_600_000);
    expect(unit.attempts).toEqual([]);
    const first = send(1);
    await clock.advance(0);
    expect(await first).toEqual({ outcome: 'ok' });
    await clock.advance(IDLE_MS - 1);
    expect(unit.open.size).toBe(1);
    await clock.advance(1);
    expect(unit.last.closedFor).toBe('idle');
    expect(states).toEqual(['opening', 'up', 'down']);
    await clock.advance(3_600_000);
    expect(unit.sessions).toHaveLength(1);
    await link.stop();
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
  });

  test('two commands that ask while it opens: one link, and none opens when it has closed again', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    link.start();
    const both = Promise.all([send(1), send(2)]);
    await clock.advance(0);
    expect(await both).toEqual([{ outcome: 'ok' }, { outcome: 'ok' }]);
    await clock.advance(3_600_000);
    expect(unit.sessions).toHaveLength(1);
    await link.stop();
  });

  test('two commands that ask while the unit’s one link is still claimed: the same', async () => {
    const { clock, unit, link, send, table } = rig('onDemand');
    const release = await table.claim('lamp', new AbortController().signal);
    link.start();
    const first = send(1);
    await clock.advance(100);
    const second = send(2);
    await clock.advance(100);
    expect(unit.attempts).toEqual([]);
    release();
    await clock.advance(0);
    expect(await Promise.all([first, second])).toEqual([{ outcome: 'ok' }, { outcome: 'ok' }]);
    await clock.advance(3_600_000);
    expect(unit.sessions).toHaveLength(1);
    await link.stop();
  });

  test('does not close while a command waits for its answer, nor while a report is under way', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.react = () => 'silence';
    link.start();
    void send(1);
    await clock.advance(14_000);
    expect(unit.open.size).toBe(1);
    unit.last.end(lost);
    await clock.advance(60_000);
    unit.react = () => ({ outcome: 'ok' });
    const second = send(2);
    await clock.advance(0);
    await second;
    unit.last.isBusy = true;
    await clock.advance(10_000);
    expect(unit.open.size).toBe(1);
    unit.last.isBusy = false;
    await clock.advance(2 * IDLE_MS);
    expect(unit.open.size).toBe(0);
    await link.stop();
  });

  test('a hundred commands at once: one link, never two, in order, one outcome each', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    link.start();
    const queue = new CommandQueue(clock);
    const ids = Array.from({ length: MAX_WAITING }, (_, index) => index + 1);
    const outcomes: string[] = [];
    for (const wireId of ids)
      queue.push({
        octets: 100,
        deadline: 30_000,
        deliver: async () => void outcomes.push((await send(wireId)).outcome),
        expire: () => outcomes.push('expired'),
        stop: () => outcomes.push('stopped'),
        abandon: () => outcomes.push('abandoned'),
      });
    await clock.advance(100);
    expect(outcomes).toEqual(ids.map(() => 'ok'));
    expect(unit.delivered).toEqual(ids);
    expect(unit.sessions).toHaveLength(1);
    expect(unit.mostOpen).toBe(1);
    await clock.advance(10_000);
    await link.stop();
    expect(clock.waiting).toBe(0);
  });

  test('that it is sent is stored before it is, with the life of the unit; where it cannot be, it is not sent', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    link.start();
    const said: string[] = [];
    const sending = async (life: string): Promise<void> => {
      expect(unit.delivered).toEqual([]);
      said.push(life);
    };
    expect(await send(1, { sending })).toMatchObject({ outcome: 'ok' });
    expect(said).toEqual([unit.life]);
    const refused = await send(2, { sending: () => Promise.reject(new Error('the disk is full')) });
    expect(refused).toMatchObject({ outcome: 'unreachable', reason: expect.stringContaining('the disk is full') });
    expect(unit.delivered).toEqual([1]);
    await clock.advance(10_000);
    await link.stop();
  });

  test('one that may have been sent before the base was started anew is repeated in the same life only', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    link.start();
    expect(await send(1, { sentIn: unit.life, isPatient: true })).toMatchObject({ outcome: 'ok' });
    const other = await send(2, { sentIn: 'another', isPatient: true });
    expect(other).toMatchObject({ outcome: 'unknown', reason: 'the unit restarted before it answered' });
    expect(unit.delivered).toEqual([1]);
    await clock.advance(10_000);
    await link.stop();
  });

  test('a command that comes while the link closes waits for the next one, and was never sent in between', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.closesAtOnce = false;
    link.start();
    void send(1);
    await clock.advance(IDLE_MS);
    expect(unit.last.isClosing).toBe(true);
    const second = send(2);
    await clock.advance(500);
    expect(unit.delivered).toEqual([1]);
    unit.life = '2/8';
    unit.last.end(undefined);
    await clock.advance(0);
    expect(await second).toEqual({ outcome: 'ok' });
    expect(unit.mostOpen).toBe(1);
    unit.closesAtOnce = true;
    await link.stop();
  });

  test('dials for waiting reports as often as the definition polls', async () => {
    const { clock, unit, link } = rig('onDemand', { pollMs: 60_000 });
    link.start();
    await clock.advance(59_999);
    expect(unit.attempts).toEqual([]);
    await clock.advance(1);
    expect(unit.attempts).toEqual([60_000]);
    await clock.advance(IDLE_MS + 60_000);
    expect(unit.attempts).toEqual([60_000, 122_000]);
    await link.stop();
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
  });
});

describe('a command to a unit that is not there', () => {
  test('without a time to live: one attempt, unreachable at once', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    const sent = send(1);
    await clock.advance(0);
    expect(await sent).toEqual({ outcome: 'unreachable', reason: 'nobody there' });
    await clock.advance(600_000);
    expect(unit.attempts).toEqual([0]);
    await link.stop();
  });

  test('a second one within a second of that gets the same answer without another attempt', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    void send(1);
    await clock.advance(999);
    expect(await send(2)).toEqual({ outcome: 'unreachable', reason: 'nobody there' });
    expect(unit.attempts).toEqual([0]);
    await clock.advance(1);
    void send(3);
    await clock.advance(0);
    expect(unit.attempts).toEqual([0, 1_000]);
    await link.stop();
  });

  test('patient: tried again until it answers', async () => {
    const { clock, unit, link, send } = rig('onDemand', { fraction: 0.999 });
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    const sent = send(1, { isPatient: true, waitMs: 60_000 });
    await clock.advance(20_000);
    unit.refusal = undefined;
    await clock.advance(20_000);
    expect(await sent).toEqual({ outcome: 'ok' });
    expect(unit.delivered).toEqual([1]);
    await link.stop();
  });

  test('patient: tried again until its deadline, then expired and never delivered; then nobody dials', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.refusal = new LinkError('connect-failed', 'nobody there');
    link.start();
    const sent = send(1, { isPatient: true, waitMs: 60_000 });
    await clock.advance(60_000);
    expect(await sent).toMatchObject({ outcome: 'expired' });
    const attempts = unit.attempts.length;
    expect(attempts).toBeGreaterThan(3);
    unit.refusal = undefined;
    await clock.advance(600_000);
    // The attempt that was due already may still be made; it finds nothing to deliver.
    expect(unit.attempts.length).toBeLessThanOrEqual(attempts + 1);
    expect(unit.delivered).toEqual([]);
    await link.stop();
    await clock.advance(0);
    expect(clock.waiting).toBe(0);
  });

  test('past its deadline it is not delivered, though the link is up', async () => {
    const { clock, unit, link, send } = rig('held');
    link.start();
    await clock.advance(10);
    expect(await send(1, { deadline: 10 })).toMatchObject({ outcome: 'expired' });
    expect(unit.delivered).toEqual([]);
    await link.stop();
  });
});

describe('a link lost while a command is in flight', () => {
  test('the same life answers again: repeated, and the answer is its outcome', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.lostError = lost;
    unit.react = () => (unit.delivered.length === 1 ? 'lost' : { outcome: 'ok' });
    link.start();
    const sent = send(9);
    await clock.advance(2_000);
    expect(await sent).toEqual({ outcome: 'ok' });
    expect(unit.delivered).toEqual([9, 9]);
    await link.stop();
  });

  test('another life: unknown, and never repeated', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.lostError = lost;
    unit.react = () => {
      unit.life = '2/8';
      return 'lost';
    };
    link.start();
    const sent = send(9);
    await clock.advance(2_000);
    expect(await sent).toEqual({ outcome: 'unknown', reason: 'the unit restarted before it answered' });
    expect(unit.delivered).toEqual([9]);
    await link.stop();
  });

  test('no link in the time the unit had to answer: unknown', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.lostError = lost;
    unit.react = () => {
      unit.refusal = new LinkError('connect-failed', 'nobody there');
      return 'lost';
    };
    link.start();
    const sent = send(9, { isPatient: true, waitMs: 3_600_000 });
    await clock.advance(5_000);
    expect(await sent).toMatchObject({ outcome: 'unknown' });
    expect(unit.delivered).toEqual([9]);
    await link.stop();
  });

  test('a unit that closes at each command is not dialled in a tight loop', async () => {
    const { clock, unit, link, send } = rig('onDemand', { fraction: 0.999 });
    unit.lostError = lost;
    unit.react = () => 'lost';
    link.start();
    const sent = send(9, { isPatient: true, waitMs: 86_400_000 });
    await clock.advance(20_000);
    expect(await sent).toMatchObject({ outcome: 'unknown' });
    expect(unit.attempts.length).toBeLessThanOrEqual(4);
    await link.stop();
  });

  test('something that is no loss of the link: unknown, once', async () => {
    const { clock, unit, link, send } = rig('onDemand');
    unit.lostError = new RangeError('a fault of ours');
    unit.react = () => 'lost';
    link.start();
    const sent = send(9);
    await clock.advance(100);
    expect(await sent).toEqual({ outcome: 'unknown', reason: 'a fault of ours' });
    await link.stop();
  });
});
