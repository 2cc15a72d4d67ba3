import { describe, expect, test } from 'vitest';
import { fromHex } from '../../../protocol/octets.js';
import { decodeHelloAnswer, encodeLog } from '../../../protocol/unit/system-messages.js';
import { settle } from '../../support/manual-clock.js';
import { hall, reasonOf, unitOf, up, values } from './unit-rig.js';

describe('a report', () => {
  test('is acknowledged when it is stored, with its age taken off', async () => {
    const { base, unit } = await up();
    const now = base.clock.now();
    const tracking = unit.report(1, 1, values, 90_000);
    await settle();
    expect(unit.heard()).toEqual([
      { kind: 'response', tracking, code: 0, payload: { format: 0, options: 1, data: new Uint8Array(0) } },
    ]);
    expect(base.of('report')).toMatchObject([
      { id: 'hall/1/1', report: 'reading', fields: values, measuredAt: now - 90_000, receivedAt: now },
    ]);
  });

  test('sent again is acknowledged again and told once; a jump is a gap of so many', async () => {
    const { base, unit } = await up();
    for (const sequence of [1, 1, 4]) unit.report(1, sequence, values);
    await settle();
    expect(unit.heard().map((each) => each.kind === 'response' && each.code)).toEqual([0, 0, 0]);
    expect(base.of('report').map(({ id, missing }) => [id, missing])).toEqual([
      ['hall/1/1', undefined],
      ['hall/1/4', 2],
    ]);
  });

  test('after a reconnection the hello tells the last one acknowledged', async () => {
    const { base, unit } = await up();
    unit.report(1, 5, values);
    await settle();
    unit.peer.reset();
    await base.clock.advance(1_000);
    const [answer] = await unitOf(base, hall).greet();
    expect(answer?.kind === 'response' && decodeHelloAnswer(answer.payload.data).acknowledged).toBe(5);
  });

  test.each<[string, string, string]>([
    ['of a number nobody defined', '37010000000000000000', 'thermometer has no report number 55'],
    ['without a whole head', '0101000000', 'reading ends before its fields'],
    ['with sequence 0', '010000000000000000', 'reading has sequence 0; they start at 1'],
    ['without all its fields', `0101000000${'00000000'}00`, 'reading: temperature the message ends inside it'],
    [
      'with a value out of range',
      `0101000000${'00000000'}0000c84200000000`,
      'reading: temperature is 100; it must be -40 to 85',
    ],
    ['a log line that is none', '7209', 'the level of a log line is not 0 to 3'],
  ])('%s is answered 01 with the reason, counted and said; the link goes on', async (_, hex, reason) => {
    const { base, unit } = await up();
    const tracking = unit.request(fromHex(hex));
    await settle();
    const [answer] = unit.heard();
    expect(answer).toMatchObject({ kind: 'response', tracking, code: 1, payload: { format: 2, options: 0 } });
    expect(reasonOf(answer)).toBe(reason);
    expect(base.router.get('hall')!.counts.refused).toBe(1);
    expect(base.warnings()).toEqual([`refused ${reason}`]);
    unit.report(1, 1, values);
    await settle();
    expect(unit.heard()).toMatchObject([{ code: 0 }]);
  });

  test('refusals that differ each time fill no log; all are counted', async () => {
    const { base, unit } = await up();
    for (let index = 0; index < 100; index += 1) {
      unit.request(Uint8Array.of(20 + (index % 80)));
      await settle();
    }
    expect(base.router.get('hall')!.counts.refused).toBe(100);
    expect(base.warnings().length).toBeLessThanOrEqual(5);
  });

  test.each<[string, () => Promise<'busy'>]>([
    ['is busy', () => Promise.resolve('busy')],
    ['fails', () => Promise.reject(new Error('disk full'))],
  ])('when the store %s it is answered A0: send it again', async (_, store) => {
    const { base, unit } = await up();
    base.verdict = store;
    unit.report(1, 1, values);
    await settle();
    expect(unit.heard()).toMatchObject([{ kind: 'response', code: 0xa0 }]);
    base.verdict = undefined;
    unit.report(1, 1, values);
    await settle();
    expect(unit.heard()).toMatchObject([{ kind: 'response', code: 0 }]);
  });

  test('64 may be under way; the 65th is answered A0, and they are answered in order', async () => {
    const { base, unit } = await up();
    let free!: () => void;
    const gate = new Promise<void>((resolve) => {
      free = resolve;
    });
    base.verdict = () => gate.then(() => 'stored');
    const tracking = Array.from({ length: 65 }, (_, index) => unit.report(1, index + 1, values));
    await settle();
    expect(unit.heard()).toMatchObject([{ tracking: tracking[64], code: 0xa0 }]);
    free();
    await settle(80);
    expect(unit.heard().map((each) => each.kind === 'response' && each.tracking)).toEqual(tracking.slice(0, 64));
  });

  test('a log line reaches the bus, fit to be printed', async () => {
    const { base, unit } = await up();
    unit.request(encodeLog({ level: 'warn', text: 'sensor\u001b[2J lost' }));
    await settle();
    expect(unit.heard()).toMatchObject([{ code: 0 }]);
    expect(base.of('log')).toMatchObject([{ unit: 'hall', level: 'warn', text: 'sensor·[2J lost' }]);
  });
});
