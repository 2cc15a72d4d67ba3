import { describe, expect, test } from 'vitest';
import { defineUnit, type FieldType, f32, text, type UnitOptions } from '../../../protocol/definition/index.js';
import lamp from '../../../units/led-lamp-line.js';
import { lineBase, lineUnit } from './line-rig.js';
import { LineUnit, until } from './line-unit.js';

const one = (type: FieldType, more: Partial<UnitOptions> = {}) =>
  defineUnit({
    name: 'one',
    version: '1',
    kind: 'updatable',
    wire: 'line',
    commands: { set: { number: 1, fields: { value: type } } },
    ...more,
  });
const red = { fields: { color: '#FF0000' } };

describe('a line updatable unit', () => {
  test('has no connection while nothing is sent, and is idle', async () => {
    const unit = await lineUnit();
    const base = await lineBase(lamp, unit.port);
    await base.clock.advance(3_600_000);
    expect(unit.sockets).toEqual([]);
    expect(base.presence()).toEqual(['idle']);
  });

  test('gets the value and \\r alone, then our half-close; closing in order is ok', async () => {
    const unit = await lineUnit();
    const base = await lineBase(lamp, unit.port);
    expect(await base.command(red)).toMatchObject({ outcome: 'ok' });
    expect(unit.written).toEqual(['#ff0000\r|']);
    expect(base.presence()).toEqual(['idle', 'online', 'idle']);
  });

  test.each(['\r', '\n', '\r\n'] as const)('its line end is a setting: %j', async (lineEnd) => {
    const unit = await lineUnit();
    const base = await lineBase(one(f32({ decimals: 1 }), { lineEnd }), unit.port);
    expect(await base.command({ command: 'set', fields: { value: 21.46 } })).toMatchObject({ outcome: 'ok' });
    expect(unit.written).toEqual([`21.5${lineEnd}|`]);
  });

  test('a raw line goes as it is', async () => {
    const unit = await lineUnit();
    const base = await lineBase(lamp, unit.port);
    for (const line of ['red', ' ', '../../x', 'x'.repeat(64)])
      expect(await base.command({ id: `r${line.length}`, command: 'update', line })).toMatchObject({ outcome: 'ok' });
    expect(unit.written).toEqual(['red\r|', ' \r|', '../../x\r|', `${'x'.repeat(64)}\r|`]);
  });

  test.each(['', 'x'.repeat(65), 'a\rb', 'a\nb', '\u001b[2J', 'grün', '\0'])(
    'a raw line %j is refused, and nobody dials',
    async (line) => {
      const unit = await lineUnit();
      const base = await lineBase(lamp, unit.port);
      expect(await base.command({ command: 'update', line })).toMatchObject({
        outcome: 'refused',
        reason: 'a line must be 1 to 64 printable ASCII characters',
      });
      expect(unit.sockets).toEqual([]);
    },
  );

  test.each<[string, FieldType, unknown, string]>([
    ['a text with a line end', text(20), 'a\rb', 'value may not hold a line end'],
    ['a number that no line can say', f32(), 1e21, 'value cannot be written on a line'],
  ])('%s is refused', async (_, type, value, reason) => {
    const unit = await lineUnit();
    const base = await lineBase(one(type), unit.port);
    expect(await base.command({ command: 'set', fields: { value } })).toMatchObject({ outcome: 'refused', reason });
    expect(unit.sockets).toEqual([]);
  });

  test('that does not close within 2 s: unknown, and the connection is cut', async () => {
    const unit = await lineUnit();
    unit.closesToo = false;
    const base = await lineBase(lamp, unit.port);
    const outcome = base.command(red);
    await until(() => unit.written[0] === '#ff0000\r|');
    await base.clock.advance(1_999);
    expect(base.of('outcome')).toEqual([]);
    await base.clock.advance(1);
    expect(await outcome).toMatchObject({
      outcome: 'unknown',
      reason: 'the line was written, but the unit did not close within 2 s',
    });
    // Whoever goes on writing to a closed connection hears of it.
    await until(() => {
      unit.last.write('x');
      return unit.open === 0;
    });
  });

  test('that resets the connection: unknown', async () => {
    const unit = await lineUnit();
    unit.closesToo = false;
    const base = await lineBase(lamp, unit.port);
    const outcome = base.command(red);
    await until(() => unit.written[0] === '#ff0000\r|');
    unit.last.resetAndDestroy();
    expect(await outcome).toMatchObject({ outcome: 'unknown' });
  });

  test('a hundred commands at once: never two connections, in order, one outcome each', async () => {
    const unit = await lineUnit();
    const base = await lineBase(lamp, unit.port);
    const colours = Array.from({ length: 100 }, (_, index) => `#0000${index.toString(16).padStart(2, '0')}`);
    const outcomes = await Promise.all(
      colours.map((color, index) => base.command({ id: `n${index}`, fields: { color } })),
    );
    expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
    expect(unit.written).toEqual(colours.map((color) => `${color}\r|`));
    expect(unit.mostOpen).toBe(1);
    expect(base.of('outcome')).toHaveLength(100);
  });
});

describe('a line updatable unit that is not there', () => {
  const nobody = async (): Promise<number> => {
    const unit = await new LineUnit().listen();
    const { port } = unit;
    await unit.close();
    return port;
  };

  test('unreachable at once, offline with the reason; the next command tries again', async () => {
    const port = await nobody();
    const base = await lineBase(lamp, port);
    const reason = `127.0.0.1:${port} cannot be reached: ECONNREFUSED`;
    expect(await base.command({ id: 'a', ...red })).toMatchObject({ outcome: 'unreachable', reason });
    expect(base.presence()).toEqual(['idle', `offline: ${reason}`]);
    const unit = await new LineUnit().listen(port);
    expect(await base.command({ id: 'b', ...red })).toMatchObject({ outcome: 'ok' });
    await unit.close();
  });

  test('a command with a time to live is tried until the unit comes', async () => {
    const port = await nobody();
    const base = await lineBase(lamp, port);
    const outcome = base.command({ ...red, ttlMs: 600_000 });
    let unit: LineUnit | undefined;
    for (let second = 0; second < 60; second += 1) {
      if (second === 10) unit = await new LineUnit().listen(port);
      await base.clock.advance(1_000);
    }
    expect(await outcome).toMatchObject({ outcome: 'ok' });
    expect(unit!.written).toEqual(['#ff0000\r|']);
    await unit!.close();
  });

  test('or until its time is over: expired, and never delivered', async () => {
    const port = await nobody();
    const base = await lineBase(lamp, port);
    const outcome = base.command({ ...red, ttlMs: 20_000 });
    for (let second = 0; second < 20; second += 1) await base.clock.advance(1_000);
    expect(await outcome).toMatchObject({ outcome: 'expired' });
    const unit = await new LineUnit().listen(port);
    await base.clock.advance(600_000);
    expect(unit.sockets).toEqual([]);
    await unit.close();
  });
});

describe('when the base stops', () => {
  test('a line that was written has the outcome unknown', async () => {
    const unit = await lineUnit();
    unit.closesToo = false;
    const base = await lineBase(lamp, unit.port);
    const outcome = base.command(red);
    await until(() => unit.written[0] === '#ff0000\r|');
    await base.stop();
    expect(await outcome).toMatchObject({ outcome: 'unknown' });
    // Whoever goes on writing to a closed connection hears of it.
    await until(() => {
      unit.last.write('x');
      return unit.open === 0;
    });
  });

  test('a line that waits for its turn is unreachable; one with a time to live is kept for the next start', async () => {
    const base = await lineBase(lamp, 1);
    const kept = base.command({ ...red, ttlMs: 600_000 });
    const behind = base.command({ ...red, id: 'behind' });
    kept.catch(() => {});
    await base.clock.advance(10);
    await base.stop();
    await expect(kept).rejects.toMatchObject({ code: 'stopped' });
    expect(await behind).toMatchObject({ outcome: 'unreachable', reason: 'the base is stopping' });
  });
});
