import { describe, expect, test } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import lamp from '../../../units/led-lamp.js';
import thermometer from '../../../units/thermometer.js';
import { settle } from '../../support/manual-clock.js';
import type { DialectRig } from './dialect-rig.js';
import { ScriptedUnit, type ScriptOptions } from './scripted-unit.js';
import { attic, closeOf, hall, kitchen, requestOf, serving, values } from './unit-rig.js';

describe('a unit that dials in', () => {
  const dialIn = (base: DialectRig, options: Partial<ScriptOptions> = {}, remote?: string) => {
    const connection = base.connect(remote);
    const unit = new ScriptedUnit(connection.carrier, { uid: 'attic', definition: thermometer, ...options });
    return { connection, unit };
  };

  test('is known when it has proved itself, and online after its hello', async () => {
    const base = await serving(attic);
    const { connection, unit } = dialIn(base);
    expect(connection.isProved).toBe(false);
    await unit.prove();
    await settle();
    expect(connection.isProved).toBe(true);
    unit.hello();
    await settle();
    expect(base.presence()).toEqual(['online']);
    unit.report(1, 1, values);
    await settle();
    expect(unit.heard().at(-1)).toMatchObject({ code: 0 });
  });

  test.each<[string, ServedUnit, Partial<ScriptOptions>]>([
    ['nobody knows', attic, { uid: 'stranger' }],
    ['has the wrong key', attic, { key: new Uint8Array(16) }],
    ['is one that the base dials', hall, { uid: 'hall' }],
  ])('a stranger that %s is refused, said once, and changes nobody’s presence', async (_, served, options) => {
    const base = await serving(served);
    for (let index = 0; index < 5; index += 1) {
      const { connection, unit } = dialIn(base, options);
      expect(await unit.prove()).toBe(false);
      await settle();
      expect(connection.isProved).toBe(false);
      expect(unit.peer.isDestroyed).toBe(true);
    }
    expect(base.warnings()).toHaveLength(1);
    expect(base.presence()).toEqual([]);
  });

  test('strangers that give themselves ever new names fill no log', async () => {
    const base = await serving(attic);
    for (let index = 0; index < 100; index += 1) await dialIn(base, { uid: `stranger ${index}` }).unit.prove();
    await settle();
    expect(base.warnings().length).toBeLessThanOrEqual(20);
  });

  test('the newest connection wins: the one before is closed with A1', async () => {
    const base = await serving(attic);
    const first = dialIn(base).unit;
    await first.greet();
    const second = dialIn(base).unit;
    await second.greet();
    await settle();
    expect(first.heard()).toEqual([closeOf(0xa1)]);
    expect(first.peer.isDestroyed).toBe(true);
    expect(base.presence()).toEqual(['online', 'offline: the link was closed', 'online']);
    expect(second.peer.isDestroyed).toBe(false);
  });

  test('more than 15 connections a minute from one address: that pair is refused for 5 min, others are not', async () => {
    const base = await serving(attic);
    for (let index = 0; index < 15; index += 1) await dialIn(base).unit.greet();
    await settle();
    const tooMany = dialIn(base).unit;
    await tooMany.prove();
    await settle();
    expect(tooMany.peer.isDestroyed).toBe(true);
    const elsewhere = dialIn(base, {}, '10.0.0.77:1').unit;
    expect(await elsewhere.greet()).toHaveLength(1);
    await base.clock.advance(299_999);
    const stillTooMany = dialIn(base).unit;
    await stillTooMany.prove();
    await settle();
    expect(stillTooMany.peer.isDestroyed).toBe(true);
    await base.clock.advance(1);
    expect(await dialIn(base).unit.greet()).toHaveLength(1);
  });

  test('commands reach it while it is there, and patient ones when it comes', async () => {
    const base = await serving({ ...kitchen, address: undefined });
    expect(await base.command({ id: 'a' })).toMatchObject({ outcome: 'unreachable' });
    const patient = base.command({ id: 'b', ttlMs: 600_000 });
    await base.clock.advance(300_000);
    const { unit } = dialIn(base, { uid: 'lamp', definition: lamp });
    unit.answer(requestOf((await unit.greet())[1]).tracking);
    expect(await patient).toMatchObject({ outcome: 'ok' });
  });
});
