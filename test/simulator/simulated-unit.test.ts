import { describe, expect, it } from 'vitest';
import { defineUnit, rgb, type UnitDefinition, u8 } from '../../protocol/definition/index.js';
import { SeededRandom } from '../../simulator/seeded-random.js';
import type { SimulatedUnit } from '../../simulator/simulated-unit.js';
import { firstValue } from '../../simulator/wandering-value.js';
import ledLamp from '../../units/led-lamp.js';
import rainBarrel from '../../units/rain-barrel.js';
import thermometer from '../../units/thermometer.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

stopAfterEach();

describe('a simulated unit', () => {
  it('says hello and reports to a base that dials it', async () => {
    const fleet = await startUnits({ definition: thermometer });
    const served = await startBase(fleet.believed());
    const report = await soon(() => {
      expect(served.reports.length).toBeGreaterThan(0);
      return served.reports[0]!;
    });
    expect(report).toMatchObject({ id: 'thermometer-1/1/1', report: 'reading', boot: 1, sequence: 1 });
    expect(report.fields.temperature).toBeGreaterThanOrEqual(-40);
    expect(report.fields.temperature).toBeLessThanOrEqual(85);
    await soon(() => expect(fleet.of('reported')[0]).toMatchObject({ stored: true }));
    expect(served.router.get('thermometer-1')).toMatchObject({ state: 'online', version: '1.0.0', drift: [] });
  });

  it('shows in its report what a command set', async () => {
    const fleet = await startUnits({ definition: ledLamp });
    const served = await startBase(fleet.believed());
    const outcome = await served.command('led-lamp-1', 'setColor', { color: '#ff8800' });
    expect(outcome).toMatchObject({ outcome: 'ok' });
    expect(fleet.of('applied')).toMatchObject([{ command: 'setColor', fields: { color: '#ff8800' } }]);
    await soon(() => expect(served.reports.at(-1)?.fields).toEqual({ color: '#ff8800', brightness: 100 }));
  });

  for (const definition of [ledLamp, rainBarrel, thermometer] as const) {
    it(`takes every command of ${definition.name} with its codec`, async () => {
      const fleet = await startUnits({ definition });
      const served = await startBase(fleet.believed());
      const random = new SeededRandom(definition.name);
      for (const [name, command] of Object.entries(definition.commands as UnitDefinition['commands'])) {
        const fields = Object.fromEntries(
          Object.entries(command.fields ?? {}).map(([field, type]) => [field, firstValue(type, random)]),
        );
        const outcome = await served.command(`${definition.name}-1`, name, fields);
        expect(outcome).toMatchObject({ outcome: 'ok', command: name });
        if (command.reply !== undefined) expect(Object.keys(outcome.reply ?? {})).toEqual(Object.keys(command.reply));
      }
      const applied = fleet.of('applied').map(({ command }) => command);
      expect(applied).toEqual(Object.keys(definition.commands));
    });
  }

  it('refuses as its handler says', async () => {
    const fleet = await startUnits({ definition: ledLamp, handler: () => ({ refuse: 'the bulb is gone' }) });
    const served = await startBase(fleet.believed());
    expect(await served.command('led-lamp-1', 'setColor')).toMatchObject({
      outcome: 'refused',
      reason: 'the bulb is gone',
    });
    expect(fleet.of('refusedCommand')).toMatchObject([{ command: 'setColor', reason: 'the bulb is gone' }]);
  });

  it('dials a base that listens', async () => {
    const key = new Uint8Array(16).fill(7);
    const served = await startBase([{ uid: 'far-1', definition: rainBarrel, key }], { listens: true });
    const { address } = served;
    const fleet = await startUnits({ definition: rainBarrel, uid: 'far-1', dial: { address }, keyOf: () => key });
    await soon(() => expect(served.state('far-1')).toBe('online'));
    expect(await served.command('far-1', 'stop')).toMatchObject({ outcome: 'ok' });
    await soon(() =>
      expect(served.reports.map(({ report }) => report)).toEqual(expect.arrayContaining(['level', 'valve'])),
    );
    expect(fleet.of('connected')).toHaveLength(1);
  });

  it('sends its log lines', async () => {
    const fleet = await startUnits({ definition: thermometer });
    const served = await startBase(fleet.believed());
    await soon(() => expect(fleet.of('connected')).toHaveLength(1));
    (fleet.units[0] as SimulatedUnit).log('warn', 'the battery is low');
    await soon(() => expect(served.lines).toMatchObject([{ level: 'warn', text: 'the battery is low' }]));
  });

  it('takes the boot number that the base gives it after its flash was erased', async () => {
    const fleet = await startUnits({ definition: thermometer });
    const served = await startBase(fleet.believed());
    const unit = fleet.units[0] as SimulatedUnit;
    await soon(() => expect(served.reports.length).toBeGreaterThan(0));
    served.router.hello({ uid: 'thermometer-1', boot: 41, nonce: 9, version: '1.0.0' });
    unit.restart();
    await soon(() => expect(served.reports.some(({ boot }) => boot === 42)).toBe(true));
    expect(unit.boot).toBe(42);
    expect(served.reports.find(({ boot }) => boot === 42)).toMatchObject({ sequence: 1 });
  });

  it('is a new boot after a restart, with its memory gone', async () => {
    const fleet = await startUnits({ definition: thermometer });
    const served = await startBase(fleet.believed());
    await soon(() => expect(served.reports.length).toBeGreaterThan(0));
    (fleet.units[0] as SimulatedUnit).restart();
    await soon(() => expect(served.reports.find(({ boot }) => boot === 2)).toMatchObject({ sequence: 1 }));
    expect(served.reports.every(({ missing }) => missing === undefined)).toBe(true);
  });
});

describe('a unit that was flashed with another definition', () => {
  const flashed = defineUnit({
    name: 'led-lamp',
    version: '0.9.0',
    kind: 'updatable',
    commands: {
      setColor: { number: 1, fields: { color: rgb() } },
      fade: { number: 2, fields: { color: rgb(), durationMs: u8({ unit: 'ms' }) } },
    },
    reports: { state: ledLamp.reports.state },
  });

  it('is named field by field, and its equal messages keep flowing', async () => {
    const fleet = await startUnits({ definition: flashed });
    const served = await startBase(fleet.believed(ledLamp));
    expect(await served.command('led-lamp-1', 'setColor', { color: '#00ff00' })).toMatchObject({ outcome: 'ok' });
    expect(await served.command('led-lamp-1', 'fade', {})).toMatchObject({ outcome: 'refused' });
    const view = served.router.get('led-lamp-1')!;
    expect(view.drift).toEqual(['fade.durationMs is u8[ms] there, u16[ms,0..60000] here']);
    expect(view.version).toBe('0.9.0');
    await soon(() => expect(served.reports.at(-1)?.fields).toMatchObject({ color: '#00ff00' }));
  });

  it('describes itself in pieces of 512 octets when it has much to tell', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `reading${index}`,
        {
          number: index + 10,
          fields: { temperature: u8({ unit: '°C', max: 100 }), humidity: u8({ unit: '%', max: 99 }) },
        },
      ]),
    );
    const large = defineUnit({ name: 'many', version: '1', kind: 'updatable', reports: many });
    const ours = defineUnit({
      name: 'many',
      version: '2',
      kind: 'updatable',
      reports: { ...many, own: { number: 9, fields: { a: u8() } } },
    });
    const fleet = await startUnits({ definition: large });
    const served = await startBase(
      [{ ...fleet.believed(ours)[0]! }].map((unit) => ({ ...unit, definition: { ...ours, pollMs: 100 } })),
    );
    await soon(() => expect(served.router.get('many-1')?.drift).toEqual(['report own is missing there']));
  });
});

describe('a base without the key', () => {
  it('can neither command the unit nor learn anything from it', async () => {
    const fleet = await startUnits({ definition: ledLamp });
    const wrong = fleet.believed().map((unit) => ({ ...unit, key: new Uint8Array(16).fill(1) }));
    const served = await startBase(wrong);
    const outcome = await served.command('led-lamp-1', 'setColor', { color: '#ffffff' });
    expect(outcome).toMatchObject({ outcome: 'unreachable' });
    expect(fleet.of('applied')).toEqual([]);
    expect(served.reports).toEqual([]);
    expect(served.warnings().filter((line) => line.includes('key-wrong'))).toHaveLength(1);
  });

  it('refuses a unit with the wrong key that dials in', async () => {
    const served = await startBase([{ uid: 'far-1', definition: ledLamp, key: new Uint8Array(16).fill(7) }], {
      listens: true,
    });
    const { address } = served;
    const fleet = await startUnits({ definition: ledLamp, uid: 'far-1', dial: { address } });
    await soon(() => expect(fleet.of('refusedConnection').length).toBeGreaterThan(0));
    expect(fleet.of('connected')).toEqual([]);
    expect(served.state('far-1')).toBe('offline');
  });
});

describe('many units behind one address', () => {
  it('all get in when they dial a base at once', async () => {
    const count = 100;
    const key = new Uint8Array(16).fill(7);
    const known = Array.from({ length: count }, (_, index) => ({ uid: `far-${index + 1}`, definition: ledLamp, key }));
    const served = await startBase(known, { listens: true });
    const { address } = served;
    await startUnits({ definition: ledLamp, count, uid: 'far', dial: { address }, keyOf: () => key });
    await soon(() => expect(known.filter(({ uid }) => served.state(uid) === 'online')).toHaveLength(count));
  });
});

describe('a unit that runs another definition than the configured one', () => {
  it('is refused by name', async () => {
    const fleet = await startUnits({ definition: thermometer });
    const served = await startBase(fleet.believed(rainBarrel));
    await soon(() =>
      expect(served.router.get('thermometer-1')?.reason).toBe(
        'thermometer-1 runs "thermometer"; rain-barrel is configured for it',
      ),
    );
    expect(served.reports).toEqual([]);
    expect(fleet.of('connected')).toEqual([]);
  });
});
