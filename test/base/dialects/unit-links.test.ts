import { describe, expect, test } from 'vitest';
import thermometer from '../../../units/thermometer.js';
import { settle } from '../../support/manual-clock.js';
import { ScriptedUnit } from './scripted-unit.js';
import { attic, closeOf, garden, hall, kitchen, requestOf, serving, unitOf, up } from './unit-rig.js';

describe('an updatable unit', () => {
  test('is idle, not offline, before it was ever needed', async () => {
    const base = await serving(kitchen);
    expect(base.presence()).toEqual(['idle']);
    expect(base.dialled).toEqual([]);
  });

  test('is dialled for a command, told close A1 after 2 s idle, and idle again', async () => {
    const base = await serving(kitchen);
    const outcome = base.command({ fields: { color: '#ff8800' } });
    await settle();
    const unit = unitOf(base, kitchen);
    await unit.prove();
    unit.hello();
    await settle();
    unit.answer(requestOf(unit.heard()[1]).tracking);
    expect(await outcome).toMatchObject({ outcome: 'ok' });
    expect(await unit.after(base.clock, 1_999)).toEqual([]);
    expect(await unit.after(base.clock, 1)).toEqual([closeOf(0xa1)]);
    expect(base.presence()).toEqual(['idle', 'online', 'idle']);
  });

  test('one that does not close after our goodbye is cut after 2 s', async () => {
    const base = await serving(kitchen);
    void base.command({});
    await settle();
    const unit = unitOf(base, kitchen);
    unit.peer.closesToo = false;
    await unit.prove();
    unit.hello();
    await settle();
    unit.answer(requestOf(unit.heard()[1]).tracking);
    await base.clock.advance(2_000);
    expect(unit.peer.isEnded).toBe(true);
    await base.clock.advance(1_999);
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toBe('idle');
  });

  test('that is not there: unreachable at once, offline with the reason', async () => {
    const base = await serving(kitchen);
    base.isReachable = false;
    expect(await base.command({})).toMatchObject({ outcome: 'unreachable', reason: '10.0.0.1 is not there' });
    expect(base.presence().at(-1)).toBe('offline: 10.0.0.1 is not there');
  });
});

describe('when the base stops', () => {
  test('units are told close 01, also those that dialled in; strangers are cut', async () => {
    const base = await serving(hall, attic);
    const held = unitOf(base, hall);
    await held.greet();
    const dialled = new ScriptedUnit(base.connect().carrier, { uid: 'attic', definition: thermometer });
    await dialled.greet();
    const stranger = base.connect();
    await settle();
    const stopped = base.stop();
    await base.clock.advance(2_000);
    await stopped;
    expect(held.heard()).toEqual([closeOf(1)]);
    expect(dialled.heard()).toEqual([closeOf(1)]);
    expect(stranger.carrier.peer.isDestroyed).toBe(true);
  });

  test('a command in flight has its one outcome', async () => {
    const { base, unit } = await up(garden);
    const outcome = base.command({ unit: 'garden', command: 'stop' });
    await settle();
    unit.heard();
    const stopped = base.stop();
    await base.clock.advance(2_000);
    await stopped;
    expect(await outcome).toMatchObject({ outcome: 'unknown' });
  });
});
