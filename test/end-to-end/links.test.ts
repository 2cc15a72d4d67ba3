import { expect, test } from 'vitest';
import type { Outcome } from '../../base/core/messages.js';
import { ManualClock } from '../support/manual-clock.js';
import { countingProxy } from './support/counting-proxy.js';
import { eventually, known, startFirmware, startHouse } from './support/house.js';

const colour = (index: number): string => `#${index.toString(16).padStart(6, '0')}`;

for (const definition of ['led-lamp', 'led-lamp-line']) {
  test(`${definition}: no connection while nothing is sent, never two at once, a hundred commands in order, one outcome each`, async () => {
    const lamp = await startFirmware(definition);
    const proxy = await countingProxy(lamp.address);
    const { base } = await startHouse({ name: 'test', units: { known: known({ ...lamp, address: proxy.address }) } });
    expect(proxy.total).toBe(0);

    const ids = Array.from({ length: 100 }, (_, index) => `c-${index}`);
    const outcomes = await Promise.all(
      ids.map((id, index) =>
        base.router.command({
          id,
          unit: definition,
          command: 'setColor',
          fields: { color: colour(index + 1) },
          source: 'test',
        }),
      ),
    );
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(ids.map(() => 'ok'));
    expect(outcomes.map(({ id }) => id)).toEqual(ids);
    await lamp.printed(colour(100));
    const shown = lamp.lines.map((line) => /#[0-9a-f]{6}/.exec(line)?.[0]).filter((found) => found !== undefined);
    expect(shown).toEqual(ids.map((_, index) => colour(index + 1)));
    expect(proxy.most).toBe(1);
    await eventually('the connection to close', () => proxy.open === 0);
    await eventually('it to rest', () => base.router.get(definition)?.state === 'idle');
  });
}

test('the same command id is done once, and the second request is told so', async () => {
  const lamp = await startFirmware('led-lamp');
  const { base } = await startHouse({ name: 'test', units: { known: known(lamp) } });
  const send = (): Promise<Outcome> =>
    base.router.command({
      id: 'same',
      unit: 'led-lamp',
      command: 'setColor',
      fields: { color: '#0000aa' },
      source: 'test',
    });
  const [first, second] = await Promise.all([send(), send()]);
  expect([first.outcome, second.outcome]).toEqual(['ok', 'duplicate']);
  const last = { id: 'last', unit: 'led-lamp', command: 'setColor', fields: { color: '#0000bb' }, source: 'test' };
  expect((await base.router.command(last)).outcome).toBe('ok');
  await lamp.printed('#0000bb');
  expect(lamp.lines.filter((line) => line.includes('#0000aa'))).toHaveLength(1);
});

test("a read unit's link is back after its process is killed and started again, and no reading comes twice", async () => {
  const thermometer = await startFirmware('thermometer');
  const { base } = await startHouse({ name: 'test', units: { known: known(thermometer) } });
  const view = () => base.router.get('thermometer');
  await eventually('the first reading', () => view()?.last.reading !== undefined);
  const before = view()!.last.reading!.id;

  process.kill(thermometer.unit.pid!, 'SIGKILL');
  await eventually('the link to be known lost', () => view()?.state === 'offline');
  await thermometer.unit.restart();
  await eventually('the link to be back', () => view()?.state === 'online', 20_000);
  await eventually('a reading of the new boot', () => view()?.last.reading?.id !== before);
  expect(before).toMatch(/^thermometer\/1\//);
  expect(view()!.last.reading!.id).toMatch(/^thermometer\/2\//);
});

test('a read unit that goes silent without closing is known lost after 45 s, and back within its back-off', async () => {
  const thermometer = await startFirmware('thermometer');
  const proxy = await countingProxy(thermometer.address);
  const clock = new ManualClock();
  const units = { known: known({ ...thermometer, address: proxy.address }) };
  const { base } = await startHouse({ name: 'test', units }, undefined, clock);
  const view = () => base.router.get('thermometer');
  await eventually('the first reading', () => view()?.last.reading !== undefined);

  proxy.freeze();
  await clock.advance(44_999);
  expect(view()).toMatchObject({ state: 'online' });
  await clock.advance(1);
  await eventually('the link to be known lost', () => view()?.state === 'offline');
  expect(view()?.reason).toMatch(/nothing was heard for 45 s/);

  proxy.thaw();
  const before = view()!.counts.reports;
  // The first wait of the back-off: at most 1 s.
  await clock.advance(1_000);
  await eventually('the link to be back', () => view()?.state === 'online');
  await eventually('a reading', () => view()!.counts.reports > before);
});

test('a line read unit that is off when the base starts is found when it comes', async () => {
  const sensor = await startFirmware('light-sensor');
  await sensor.unit.stop();
  const { base } = await startHouse({ name: 'test', units: { known: known(sensor) } });
  await eventually('it to be offline', () => /ECONNREFUSED/.test(base.router.get('light-sensor')?.reason ?? ''));
  await sensor.unit.start();
  await eventually('its first reading', () => base.router.get('light-sensor')?.last.light !== undefined, 20_000);
});
