import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Address } from '../../base/core/address.js';
import { defineUnit, f32, text, u8 } from '../../protocol/definition/index.js';
import { MAX_LINE_OCTETS } from '../../protocol/line/line-reader.js';
import { LINE_SILENT_MS } from '../../simulator/simulated-line-unit.js';
import ledLampLine from '../../units/led-lamp-line.js';
import lightSensor from '../../units/light-sensor.js';
import { ManualClock } from '../support/manual-clock.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

stopAfterEach();

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A telnet by hand. */
async function telnet({ host, port }: Address) {
  const socket = connect({ host, port, allowHalfOpen: true });
  sockets.push(socket);
  const told = { text: '', isEnded: false, isClosed: false };
  socket.on('data', (chunk) => {
    told.text += chunk.toString();
  });
  socket.on('end', () => {
    told.isEnded = true;
  });
  socket.on('close', () => {
    told.isClosed = true;
  });
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  return { socket, told };
}

describe('a read line unit', () => {
  it('is read by a base', async () => {
    const fleet = await startUnits({ definition: lightSensor });
    const base = await startBase(fleet.believed());
    await soon(() => expect(base.reports.length).toBeGreaterThan(0));
    const level = base.reports[0]!.fields.level as number;
    expect(Number.isInteger(level) && level >= 0 && level <= 1023).toBe(true);
    expect(base.state('light-sensor-1')).toBe('online');
    expect(fleet.known()['light-sensor-1']).toEqual({
      definition: 'light-sensor',
      address: `127.0.0.1:${fleet.units[0]!.address!.port}`,
    });
  });

  it('writes its last value at once and then one at every interval', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: lightSensor, clock });
    const { told } = await telnet(fleet.units[0]!.address!);
    const lines = (): string[] => told.text.split('\n').slice(0, -1);
    await soon(() => expect(lines()).toHaveLength(1));
    await clock.advance(999);
    expect(fleet.of('reported')).toHaveLength(1);
    await clock.advance(1);
    await clock.advance(1_000);
    await soon(() => expect(lines()).toHaveLength(3));
    for (const line of lines()) expect(line).toMatch(/^\d{1,4}$/);
  });

  it('writes a f32 with its decimals', async () => {
    const warm = defineUnit({
      name: 'warm',
      version: '1',
      kind: 'read',
      wire: 'line',
      reports: { warm: { number: 1, everyMs: 1_000, fields: { degrees: f32({ min: -40, max: 85, decimals: 1 }) } } },
    });
    const fleet = await startUnits({ definition: warm });
    const { told } = await telnet(fleet.units[0]!.address!);
    await soon(() => expect(told.text).toMatch(/^-?\d+\.\d\n/));
  });

  it('serves one connection; a second gets nothing until the first has closed', async () => {
    const fleet = await startUnits({ definition: lightSensor, clock: new ManualClock() });
    const address = fleet.units[0]!.address!;
    const first = await telnet(address);
    await soon(() => expect(first.told.text).not.toBe(''));
    const second = await telnet(address);
    await soon(() => expect((fleet.units[0] as { connections?: number }).connections).toBe(2));
    expect(second.told.text).toBe('');
    first.socket.destroy();
    await soon(() => expect(second.told.text).not.toBe(''));
  });

  it('that falls silent is dead for the base after 45 s', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: lightSensor });
    const base = await startBase(fleet.believed(), { clock });
    await soon(() => expect(base.reports.length).toBeGreaterThan(0));
    fleet.setFault({ kind: 'silence' });
    await clock.advance(44_999);
    expect(base.state('light-sensor-1')).toBe('online');
    await clock.advance(1);
    await soon(() => expect(base.state('light-sensor-1')).toBe('offline'));
  });

  it('with garbage in its lines reports nothing wrong', async () => {
    const quick = defineUnit({
      name: 'quick',
      version: '1',
      kind: 'read',
      wire: 'line',
      reports: { level: { number: 1, everyMs: 25, fields: { level: u8({ max: 50 }) } } },
    });
    const fleet = await startUnits({ definition: quick, faults: [{ kind: 'garbage' }] });
    const base = await startBase(fleet.believed());
    await soon(() => expect(base.router.get('quick-1')?.counts.refused).toBeGreaterThan(2));
    await soon(() => expect(base.reports.length).toBeGreaterThan(5));
    for (const { fields } of base.reports) expect(fields.level).toBeLessThanOrEqual(50);
  });
});

describe('an updatable line unit', () => {
  it('takes a command of a base', async () => {
    const fleet = await startUnits({ definition: ledLampLine });
    const base = await startBase(fleet.believed());
    expect(await base.command('led-lamp-line-1', 'setColor', { color: '#ff8800' })).toMatchObject({ outcome: 'ok' });
    expect(fleet.of('applied')).toMatchObject([{ command: 'setColor', fields: { color: '#ff8800' } }]);
    expect(await base.command('led-lamp-line-1', 'update', {}, { line: 'red' })).toMatchObject({ outcome: 'ok' });
    await soon(() => expect(fleet.of('applied').at(-1)?.fields).toEqual({ color: '#ff0000' }));
    await soon(() => expect(fleet.of('disconnected')).toHaveLength(2));
  });

  for (const [name, lineEnd] of [
    ['CR', '\r'],
    ['LF', '\n'],
    ['CR LF', '\r\n'],
  ] as const) {
    it(`reads lines that end with ${name}, cut anywhere`, async () => {
      const fleet = await startUnits({ definition: ledLampLine });
      const { socket } = await telnet(fleet.units[0]!.address!);
      for (const character of `#112233${lineEnd}#445566${lineEnd}`) socket.write(character);
      await soon(() => expect(fleet.of('applied').map(({ fields }) => fields.color)).toEqual(['#112233', '#445566']));
      expect(fleet.of('refusedCommand')).toEqual([]);
    });
  }

  it('ignores what it does not know, and a line that is too long to its end', async () => {
    const label = defineUnit({
      name: 'label',
      version: '1',
      kind: 'updatable',
      wire: 'line',
      commands: { show: { number: 1, fields: { text: text(255) } } },
    });
    const fleet = await startUnits({ definition: label });
    const { socket } = await telnet(fleet.units[0]!.address!);
    socket.write(`${'a'.repeat(255)}\r${'b'.repeat(MAX_LINE_OCTETS)}\r`);
    await soon(() => expect(fleet.of('refusedCommand')).toHaveLength(1));
    socket.write(`${'c'.repeat(MAX_LINE_OCTETS + 1)}and more\rlast\r`);
    await soon(() => expect(fleet.of('applied').map(({ fields }) => fields.text)).toEqual(['a'.repeat(255), 'last']));
    expect(
      fleet
        .of('refusedCommand')
        .map(({ reason }) => reason)
        .at(-1),
    ).toBe('a line is too long');
    expect(fleet.of('refusedCommand')).toHaveLength(2);
  });

  it('gives way after 10 s of silence to one that waits', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: ledLampLine, clock });
    const address = fleet.units[0]!.address!;
    const first = await telnet(address);
    await soon(() => expect(fleet.of('connected')).toHaveLength(1));
    const second = await telnet(address);
    second.socket.write('blue\r');
    await soon(() => expect((fleet.units[0] as { connections?: number }).connections).toBe(2));
    await clock.advance(LINE_SILENT_MS - 25);
    expect(fleet.of('applied')).toEqual([]);
    await clock.advance(50);
    await soon(() => expect(first.told.isClosed || first.told.isEnded).toBe(true));
    await soon(() => expect(fleet.of('applied').map(({ fields }) => fields.color)).toEqual(['#0000ff']));
  });

  it('that never closes leaves the outcome unknown', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: ledLampLine, faults: [{ kind: 'mute-commands' }] });
    const base = await startBase(fleet.believed(), { clock });
    const outcome = base.command('led-lamp-line-1', 'setColor', { color: '#010203' });
    await soon(() => expect(fleet.of('applied')).toHaveLength(1));
    await clock.advance(2_000);
    expect(await outcome).toMatchObject({ outcome: 'unknown' });
  });

  it('refuses when told to', async () => {
    const fleet = await startUnits({ definition: ledLampLine, faults: [{ kind: 'refuse' }] });
    const base = await startBase(fleet.believed());
    expect(await base.command('led-lamp-line-1', 'setColor')).toMatchObject({ outcome: 'ok' });
    await soon(() => expect(fleet.of('refusedCommand')).toHaveLength(1));
    expect(fleet.of('applied')).toEqual([]);
  });
});
