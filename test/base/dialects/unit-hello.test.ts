import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { decodeHelloAnswer } from '../../../protocol/unit/system-messages.js';
import lamp from '../../../units/led-lamp.js';
import { settle } from '../../support/manual-clock.js';
import { ScriptedUnit } from './scripted-unit.js';
import { closeOf, hall, kitchen, reasonOf, serving, unitOf, values } from './unit-rig.js';

describe('the hello', () => {
  const greeted = async (hello: Parameters<ScriptedUnit['greet']>[0]) => {
    const base = await serving(hall);
    const unit = unitOf(base, hall);
    return { base, unit, said: await unit.greet(hello) };
  };

  test('another definition than the configured one: refused with the reason, close 00, 5 min', async () => {
    const { base, said } = await greeted({ definition: 'led-lamp' });
    expect(said).toMatchObject([{ kind: 'response', code: 1, payload: { format: 2 } }, closeOf(0)]);
    expect(reasonOf(said[0])).toBe('another definition is configured');
    expect(base.presence()).toEqual(['offline: hall runs "led-lamp"; thermometer is configured for it']);
    await base.clock.advance(299_000);
    expect(base.dialled).toHaveLength(1);
  });

  test('a boot number used before: the unit takes the next and says hello again', async () => {
    const base = await serving(hall);
    base.router.hello({ uid: 'hall', boot: 41, nonce: 1, version: '1' });
    const unit = unitOf(base, hall);
    const [again] = await unit.greet({ boot: 41, nonce: 2 });
    expect(again).toMatchObject({ kind: 'response', code: 1 });
    expect(again?.kind === 'response' && toHex(again.payload.data)).toBe('002a000000');
    unit.hello({ boot: 42, nonce: 2 });
    await settle();
    expect(unit.heard()).toMatchObject([{ kind: 'response', code: 0 }]);
    expect(base.presence()).toEqual(['online']);
  });

  test('commands that wait are announced', async () => {
    const base = await serving({ ...kitchen, address: undefined });
    for (let index = 0; index < 3; index += 1)
      base.command({ id: `w${index}`, ttlMs: 60_000, fields: { color: '#000001' } }).catch(() => {});
    const unit = new ScriptedUnit(base.connect().carrier, { uid: 'lamp', definition: lamp });
    const [answer] = await unit.greet();
    expect(answer?.kind === 'response' && decodeHelloAnswer(answer.payload.data).waiting).toBe(3);
  });

  test.each<[string, (unit: ScriptedUnit) => void]>([
    ['anything else before it', (unit) => void unit.report(1, 1, values)],
    ['one that is no hello', (unit) => void unit.request(fromHex('0001'))],
    ['another revision', (unit) => void unit.request(fromHex('0003'))],
    ['an empty request', (unit) => void unit.request(new Uint8Array(0))],
    ['a request that is not typed', (unit) => void unit.request(fromHex('00'), { format: 10, options: 0 })],
    [
      'a request that names a UID',
      (unit) =>
        unit.send({
          kind: 'request',
          uid: 'hall',
          tracking: 1,
          payload: { format: 0, options: 1, data: fromHex('00') },
        }),
    ],
    [
      'a response that names a UID',
      (unit) =>
        unit.send({
          kind: 'response',
          uid: 'hall',
          tracking: 1,
          code: 0,
          payload: { format: 0, options: 1, data: fromHex('00') },
        }),
    ],
    ['a telemetry token', (unit) => unit.send({ kind: 'telemetryToken', token: new Uint8Array(8) })],
  ])('%s: close 00, counted, and the link is lost', async (_, act) => {
    const base = await serving(hall);
    const unit = unitOf(base, hall);
    await unit.prove();
    act(unit);
    await settle();
    expect(unit.heard()).toEqual([closeOf(0)]);
    expect(base.presence()[0]).toMatch(/^offline: /);
    expect(base.router.get('hall')!.counts.refused).toBe(1);
    expect(base.of('report')).toEqual([]);
  });

  test('a second one in the same session: close 00', async () => {
    const { unit } = await greeted({});
    unit.hello();
    await settle();
    expect(unit.heard()).toEqual([closeOf(0)]);
  });
});
