import { describe, expect, test } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { defineUnit, descriptorOf, u8 } from '../../../protocol/definition/index.js';
import { fromHex } from '../../../protocol/octets.js';
import { decodeDescribe, encodeDescribePiece } from '../../../protocol/unit/system-messages.js';
import lamp from '../../../units/led-lamp.js';
import { settle } from '../../support/manual-clock.js';
import { ScriptedUnit } from './scripted-unit.js';
import { kitchen, requestOf, serving } from './unit-rig.js';

describe('a definition changed after flashing', () => {
  const flashed = defineUnit({
    ...lamp,
    version: '0.9.0',
    commands: {
      setColor: lamp.commands.setColor,
      fade: { number: 2, fields: { color: lamp.commands.fade.fields.color, durationMs: u8() } },
    },
  });

  async function drifted(served: ServedUnit = { ...kitchen, address: undefined }) {
    const base = await serving(served);
    const unit = new ScriptedUnit(base.connect().carrier, { uid: 'lamp', definition: flashed });
    await unit.prove();
    unit.hello();
    await settle();
    return { base, unit };
  }

  test('the descriptor is asked for piece by piece; differences are named, equal messages flow, others are refused', async () => {
    const { base, unit } = await drifted();
    const descriptor = new TextEncoder().encode(descriptorOf(flashed));
    let heard = unit.heard().slice(1);
    for (let sent = 0; sent < descriptor.length; ) {
      const { tracking, payload } = requestOf(heard[0]);
      expect(decodeDescribe(payload.data)).toBe(sent);
      const piece = encodeDescribePiece(descriptor.subarray(0, Math.min(descriptor.length, sent + 60)), sent);
      new DataView(piece.buffer).setUint16(1, descriptor.length, true);
      unit.answer(tracking, 0, piece);
      sent += 60;
      await settle();
      heard = unit.heard();
    }
    expect(base.of('presence').map(({ state, drift }) => [state, drift])).toEqual([
      ['offline', ['fade.durationMs is u8 there, u16[ms,0..60000] here']],
      ['online', ['fade.durationMs is u8 there, u16[ms,0..60000] here']],
    ]);
    expect(base.warnings()).toEqual([
      'lamp runs led-lamp 0.9.0: fade.durationMs is u8 there, u16[ms,0..60000] here. Regenerate and flash: baseunit flash led-lamp',
    ]);
    expect(await base.command({ id: 'f', command: 'fade' })).toMatchObject({
      outcome: 'refused',
      reason: 'the unit was flashed with another fade; regenerate and flash it',
    });
    const equal = base.command({ id: 'e', fields: { color: '#010203' } });
    await settle();
    unit.answer(requestOf(unit.heard()[0]).tracking);
    expect(await equal).toMatchObject({ outcome: 'ok' });
    unit.report(3, 1, { color: '#010203', brightness: 5 });
    await settle();
    expect(unit.heard()).toMatchObject([{ code: 0 }]);
  });

  test('reports are put off until it is known which are equal', async () => {
    const { base, unit } = await drifted();
    unit.heard();
    unit.report(3, 1, { color: '#010203', brightness: 5 });
    await settle();
    expect(unit.heard()).toMatchObject([{ kind: 'response', code: 0xa0 }]);
    expect(base.of('report')).toEqual([]);
  });

  test.each<[string, (unit: ScriptedUnit, tracking: number) => void]>([
    ['refuses', (unit, tracking) => unit.answer(tracking, 1)],
    ['announces too much', (unit, tracking) => unit.answer(tracking, 0, fromHex('70014041'))],
    ['sends an empty piece', (unit, tracking) => unit.answer(tracking, 0, fromHex('700500'))],
    ['sends what is no piece', (unit, tracking) => unit.answer(tracking, 0, fromHex('70'))],
  ])('a unit that %s to describe itself is let go', async (_, act) => {
    const { base, unit } = await drifted();
    act(unit, requestOf(unit.heard()[1]).tracking);
    await settle();
    expect(unit.peer.isDestroyed).toBe(true);
    expect(base.presence().at(-1)).toMatch(/^offline: /);
  });

  test('a unit that does not answer is given 5 s', async () => {
    const { base, unit } = await drifted();
    await base.clock.advance(4_999);
    expect(unit.peer.isDestroyed).toBe(false);
    await base.clock.advance(1);
    expect(unit.peer.isDestroyed).toBe(true);
  });
});
