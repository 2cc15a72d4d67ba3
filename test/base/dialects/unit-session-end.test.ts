import { describe, expect, test } from 'vitest';
import { fromHex } from '../../../protocol/octets.js';
import { settle } from '../../support/manual-clock.js';
import type { ScriptedUnit } from './scripted-unit.js';
import { closeOf, up } from './unit-rig.js';

describe('a session that is open ends when', () => {
  test.each<[string, (unit: ScriptedUnit) => Uint8Array, number]>([
    [
      'an octet of a transmission is flipped',
      (unit) => unit.seal({ kind: 'ping' }).map((octet, index) => (index === 3 ? octet ^ 1 : octet)),
      0,
    ],
    ['octets come without a tag', () => fromHex('101010101010101010'), 0],
    ['reserved bits are set', () => fromHex('11'), 0],
    ['a frame is longer than the bound', () => fromHex('300001010801'), 0],
  ])('%s: close 00', async (_, octets, code) => {
    const { base, unit } = await up();
    unit.peer.write(octets(unit));
    await settle();
    expect(unit.heard()).toEqual([closeOf(code)]);
    expect(base.presence().at(-1)).toMatch(/^offline: /);
    expect(base.router.get('hall')!.counts.refused).toBe(1);
  });

  test('a recorded transmission is played again: close 00', async () => {
    const { base, unit } = await up();
    const recorded = unit.seal({ kind: 'ping' });
    unit.peer.write(recorded);
    unit.peer.write(recorded);
    await settle();
    expect(unit.heard()).toEqual([{ kind: 'pong' }, closeOf(0)]);
    expect(base.presence().at(-1)).toBe('offline: the tag of a transmission is wrong');
  });

  test('a transmission is not complete 10 s after its first octet, though octets drip', async () => {
    const { base, unit } = await up();
    const octets = unit.seal({
      kind: 'request',
      tracking: 1,
      payload: { format: 0, options: 1, data: new Uint8Array(50) },
    });
    for (let index = 0; index < 10; index += 1) {
      unit.peer.write(octets.subarray(index, index + 1));
      await base.clock.advance(index === 0 ? 999 : 1_000);
    }
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toBe('offline: a transmission was not complete within 10 s');
  });

  test('the unit does not take what is sent to it: past 256 KiB', async () => {
    const { base, unit } = await up();
    unit.carrier.isStalled = true;
    unit.carrier.buffered = 256 * 1024 - 9;
    unit.send({ kind: 'ping' });
    await settle();
    expect(unit.peer.isDestroyed).toBe(false);
    unit.send({ kind: 'ping' });
    await settle();
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toBe('offline: the unit does not take what is sent to it');
  });

  test('the unit takes nothing of what is sent to it for 30 s', async () => {
    const { base, unit } = await up();
    unit.carrier.isStalled = true;
    unit.send({ kind: 'ping' });
    // It goes on sending: silent it is not.
    for (let second = 0; second < 29; second += 1) {
      await base.clock.advance(1_000);
      unit.send({ kind: 'pong' });
    }
    await base.clock.advance(999);
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toBe('offline: the unit does not take what is sent to it');
  });

  test.each([
    ['a0', 'offline: the unit sleeps'],
    ['a1', 'offline: the unit closed the link'],
    ['01', 'offline: the unit closed the link'],
    ['02', 'offline: another base holds the unit'],
    ['00', 'offline: the unit closed with code 00'],
    ['77', 'offline: the unit closed with code 77'],
  ])('the unit closes with %s', async (code, presence) => {
    const { base, unit } = await up();
    unit.send({ kind: 'close', code: Number.parseInt(code, 16) });
    await settle();
    expect(unit.peer.isEnded).toBe(true);
    expect(base.presence().at(-1)).toBe(presence);
    expect(unit.heard()).toEqual([]);
  });

  test('nothing comes for 45 s, a ping after 15 s unanswered', async () => {
    const { base, unit } = await up();
    expect(await unit.after(base.clock, 15_000)).toEqual([{ kind: 'ping' }]);
    await base.clock.advance(29_999);
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toBe('offline: nothing was heard for 45 s');
  });
});
