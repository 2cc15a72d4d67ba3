import { describe, expect, test } from 'vitest';
import { defineUnit, text, u16 } from '../../../protocol/definition/index.js';
import sensor from '../../../units/light-sensor.js';
import { settle } from '../../support/manual-clock.js';
import { lineBase, lineUnit } from './line-rig.js';
import { until } from './line-unit.js';

const levels = (base: Awaited<ReturnType<typeof lineBase>>) => base.of('report').map(({ fields }) => fields.level);

describe('a line read unit', () => {
  test('is held; each line is a report, numbered by the base, whatever ends it and however it is cut', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    await until(() => unit.sockets.length === 1);
    for (const piece of ['5', '12\n51', '3\r', '\n514\r515', '\r', '\n']) {
      unit.last.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => base.of('report').length === 4);
    expect(levels(base)).toEqual([512, 513, 514, 515]);
    const start = Math.floor(base.clock.now() / 1_000);
    expect(base.of('report').map(({ id }) => id)).toEqual([1, 2, 3, 4].map((sequence) => `lamp/${start}/${sequence}`));
    expect(base.presence()).toEqual(['online']);
    expect(unit.written).toEqual(['']);
  });

  test('has no authentication, which is said at start', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    expect(base.warnings()[0]).toContain('a line unit has no authentication');
  });

  test('a line that is no value is refused, counted and said once; the next one counts', async () => {
    const unit = await lineUnit();
    unit.greeting = '../../x\n1024\n../../x\n-1\n../../y\nhello\n7\n';
    const base = await lineBase(sensor, unit.port);
    await until(() => base.of('report').length === 1);
    expect(levels(base)).toEqual([7]);
    expect(base.router.get('lamp')!.counts).toMatchObject({ reports: 1, refused: 6 });
    const refused = base.log.lines.filter(({ message }) => message === 'refused; said once');
    expect(refused.map(({ fields }) => fields.line)).toEqual(['../../x', '1024']);
  });

  test('a flood is dropped past 200 lines and counted, and nothing more is read for a second', async () => {
    const unit = await lineUnit();
    unit.greeting = '5\n'.repeat(250);
    const base = await lineBase(sensor, unit.port);
    const counts = () => base.router.get('lamp')!.counts;
    await until(() => counts().reports + counts().refused >= 201);
    expect(counts().reports).toBe(200);
    unit.last.write('6\n7\n');
    await settle(20);
    expect(levels(base)).not.toContain(6);
    await base.clock.advance(999);
    expect(levels(base)).not.toContain(6);
    await base.clock.advance(1);
    await until(() => levels(base).includes(7));
    expect(counts().refused).toBe(50);
    expect(base.presence()).toEqual(['online']);
  });

  test('lines beyond what the definition allows may be no readings too', async () => {
    const unit = await lineUnit();
    unit.greeting = 'open\nAT+RST\nshut\n';
    const door = defineUnit({
      name: 'door',
      version: '1',
      kind: 'read',
      wire: 'line',
      reports: { state: { number: 1, everyMs: 1_000, fields: { level: text(20) } } },
    });
    const base = await lineBase(door, unit.port, { isReading: (line) => !line.startsWith('AT') });
    await until(() => base.of('report').length === 2);
    expect(levels(base)).toEqual(['open', 'shut']);
    expect(base.router.get('lamp')!.counts.refused).toBe(1);
  });

  test('a line without end is cut at 512 octets, and the unit dialled again after a while', async () => {
    const unit = await lineUnit();
    unit.greeting = `7\n${'9'.repeat(513)}`;
    const base = await lineBase(sensor, unit.port);
    await until(() => base.presence().length === 2);
    expect(base.presence()[1]).toBe('offline: a line of more than 512 octets without an end');
    await until(() => unit.open === 0);
    unit.greeting = '8\n';
    await base.clock.advance(1_000);
    await until(() => base.of('report').length === 2);
    expect(levels(base)).toEqual([7, 8]);
  });

  test('200 lines at once are taken, more are dropped and counted until the next second', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    await until(() => unit.sockets.length === 1);
    unit.last.write('1\n'.repeat(203));
    await until(() => base.router.get('lamp')!.counts.refused === 3);
    expect(base.of('report')).toHaveLength(200);
    await base.clock.advance(1_000);
    unit.last.write('2\n'.repeat(50));
    await until(() => base.of('report').length === 250);
    expect(base.router.get('lamp')!.counts.refused).toBe(3);
  });

  test('a report that cannot be stored harms nobody', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    base.verdict = () => Promise.reject(new Error('disk full'));
    await until(() => unit.sockets.length === 1);
    unit.last.write('7\n');
    await until(() => base.router.get('lamp')!.counts.refused === 1);
    base.verdict = undefined;
    unit.last.write('8\n');
    await until(() => base.of('report').length === 1);
    expect(levels(base)).toEqual([8]);
  });

  test.each([
    [1_000, 45_000],
    [20_000, 60_000],
  ])('that should speak every %d ms is dead after %d ms of silence', async (everyMs, deadMs) => {
    const unit = await lineUnit();
    const slow = defineUnit({
      name: 'slow',
      version: '1',
      kind: 'read',
      wire: 'line',
      reports: { level: { number: 1, everyMs, fields: { level: u16() } } },
    });
    const base = await lineBase(slow, unit.port);
    await until(() => unit.sockets.length === 1);
    await base.clock.advance(deadMs - 1);
    expect(base.presence()).toEqual(['online']);
    await base.clock.advance(1);
    expect(base.presence()[1]).toBe(`offline: nothing was heard for ${deadMs / 1_000} s`);
  });

  test('that closes or breaks is dialled again', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    await until(() => base.presence().length === 1);
    unit.last.end();
    await until(() => base.presence().length === 2);
    await base.clock.advance(1_000);
    await until(() => base.presence().length === 3);
    unit.last.resetAndDestroy();
    await until(() => base.presence().length === 4);
    expect(base.presence()).toEqual([
      'online',
      'offline: the unit closed the connection',
      'online',
      expect.stringMatching(/^offline: the connection broke: /),
    ]);
  });

  test('takes no commands', async () => {
    const unit = await lineUnit();
    const base = await lineBase(sensor, unit.port);
    expect(await base.command({ command: 'update', line: 'red' })).toMatchObject({
      outcome: 'refused',
      reason: 'light-sensor only measures; it takes no commands',
    });
    expect(unit.written.join('')).toBe('');
  });

  test('stop half-closes; a unit that goes on is cut after 2 s', async () => {
    const unit = await lineUnit();
    unit.closesToo = false;
    const base = await lineBase(sensor, unit.port);
    await until(() => base.presence().length === 1);
    let isStopped = false;
    void base.stop().then(() => {
      isStopped = true;
    });
    await until(() => unit.written[0] === '|');
    await base.clock.advance(1_999);
    expect(isStopped).toBe(false);
    await base.clock.advance(1);
    await until(() => isStopped);
    // Whoever goes on writing to a closed connection hears of it.
    await until(() => {
      unit.last.write('7\n');
      return unit.open === 0;
    });
  });

  test('without an address is not of this dialect', async () => {
    const base = await lineBase(sensor, 1, { address: undefined });
    await base.clock.advance(60_000);
    expect(base.presence()).toEqual([]);
  });
});
