import { describe, expect, test } from 'vitest';
import { defineUnit, list, u8 } from '../../../protocol/definition/index.js';
import { fromHex, toHex } from '../../../protocol/octets.js';
import { decodeCommand } from '../../../protocol/unit/heads.js';
import { settle } from '../../support/manual-clock.js';
import { KEY, type ScriptedUnit } from './scripted-unit.js';
import { address, garden, requestOf, unitOf, up } from './unit-rig.js';

describe('a command', () => {
  const water = { unit: 'garden', command: 'water', fields: { mode: 'drip', litres: 2.5, beds: [1, 2] } };

  test('goes with its id and fields; the reply is in its outcome', async () => {
    const { base, unit } = await up(garden);
    const outcome = base.command(water);
    await settle();
    const request = requestOf(unit.heard()[0]);
    expect(request.payload).toMatchObject({ format: 0, options: 1 });
    expect(decodeCommand(request.payload.data)).toMatchObject({ number: 1, fields: fromHex('0000002040020102') });
    expect(decodeCommand(request.payload.data)!.id).toBeGreaterThan(0);
    unit.answer(request.tracking, 0, fromHex('010500000003'));
    expect(await outcome).toMatchObject({ outcome: 'ok', reply: { startedAt: 5, queue: 3 } });
  });

  test.each<[string, (unit: ScriptedUnit, tracking: number) => void, object]>([
    [
      'refuses it with a reason',
      (unit, tracking) => unit.answer(tracking, 1, new TextEncoder().encode('no\nwater'), 2),
      { outcome: 'refused', reason: 'no·water' },
    ],
    [
      'refuses it without one',
      (unit, tracking) => unit.answer(tracking, 1),
      { outcome: 'refused', reason: 'the unit refused it' },
    ],
    [
      'has no place for it',
      (unit, tracking) => unit.answer(tracking, 0xa0),
      { outcome: 'unreachable', reason: 'the unit answered a0' },
    ],
    [
      'answers another command',
      (unit, tracking) => unit.answer(tracking, 0, fromHex('020500000003')),
      { outcome: 'unknown', reason: 'the answer is not to this command' },
    ],
    [
      'answers too little',
      (unit, tracking) => unit.answer(tracking, 0, fromHex('0105')),
      { outcome: 'unknown', reason: "the answer's startedAt the message ends inside it" },
    ],
    [
      'answers nothing',
      (unit, tracking) => unit.answer(tracking, 0),
      { outcome: 'unknown', reason: 'the answer is not to this command' },
    ],
  ])('the unit %s', async (_, act, expected) => {
    const { base, unit } = await up(garden);
    const outcome = base.command(water);
    await settle();
    act(unit, requestOf(unit.heard()[0]).tracking);
    expect(await outcome).toMatchObject(expected);
  });

  test('without an answer in the command’s own time is a time-out; a late answer is nobody’s', async () => {
    const { base, unit } = await up(garden);
    const outcome = base.command(water);
    await settle();
    const { tracking } = requestOf(unit.heard()[0]);
    await base.clock.advance(9_999);
    expect(base.of('outcome')).toEqual([]);
    await base.clock.advance(1);
    expect(await outcome).toMatchObject({ outcome: 'timeout', reason: 'no answer within 10 s' });
    unit.answer(tracking, 0, fromHex('010500000003'));
    await settle();
    expect(base.of('outcome')).toHaveLength(1);
    expect(unit.heard()).toEqual([]);
  });

  test('an answer to a number that was never asked is dropped', async () => {
    const { base, unit } = await up(garden);
    unit.answer(0x7777);
    await settle();
    expect(unit.peer.isDestroyed).toBe(false);
    expect(base.presence()).toEqual(['online']);
  });

  test('longer than the unit can take is refused; one that just fits goes', async () => {
    const long = defineUnit({
      name: 'long',
      version: '1',
      kind: 'read',
      commands: { show: { number: 1, fields: { a: list(u8(), 40) } } },
    });
    // type, tracking, block head, number, id, count, then the items and the tag.
    const most = 1 + 2 + 3 + 1 + 4 + 1 + 20 + 8;
    const { base, unit } = await up({ uid: 'long', definition: long, address, key: KEY }, { maxTransmission: most });
    const items = (count: number) => ({ unit: 'long', command: 'show', fields: { a: new Array(count).fill(1) } });
    expect(await base.command({ id: 'a', ...items(21) })).toMatchObject({
      outcome: 'refused',
      reason: 'the command is longer than the unit can take',
    });
    void base.command({ id: 'b', ...items(20) });
    await settle();
    const { tracking } = requestOf(unit.heard()[0]);
    unit.answer(tracking);
    await settle();
    expect(base.of('outcome').at(-1)).toMatchObject({ outcome: 'ok' });
  });

  test('a raw line is no command of a typed unit', async () => {
    const { base } = await up(garden);
    expect(await base.command({ unit: 'garden', command: 'update', line: 'red' })).toMatchObject({
      outcome: 'refused',
      reason: 'rain-barrel takes commands by name: water, stop, configure',
    });
  });

  test('the link is lost before the answer, the unit is the same: the same id once more, and one outcome', async () => {
    const { base, unit } = await up(garden);
    const outcome = base.command(water);
    await settle();
    const first = requestOf(unit.heard()[0]);
    unit.peer.reset();
    await base.clock.advance(1_000);
    const again = unitOf(base, garden);
    const second = requestOf((await again.greet())[1]);
    expect(toHex(second.payload.data)).toBe(toHex(first.payload.data));
    again.answer(second.tracking, 0, fromHex('010500000003'));
    expect(await outcome).toMatchObject({ outcome: 'ok' });
    expect(base.of('outcome')).toHaveLength(1);
  });

  test('the link is lost and the unit has restarted: unknown, and nothing is sent again', async () => {
    const { base, unit } = await up(garden);
    const outcome = base.command(water);
    await settle();
    unit.peer.reset();
    await base.clock.advance(1_000);
    const again = unitOf(base, garden);
    expect(await again.greet({ boot: 2, nonce: 8 })).toHaveLength(1);
    expect(await outcome).toMatchObject({ outcome: 'unknown', reason: 'the unit restarted before it answered' });
    await settle();
    expect(again.heard()).toEqual([]);
  });
});
