import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildNative } from '../../codegen/native-build.js';
import type { FirmwareUnit } from '../../simulator/firmware-unit.js';
import ledLamp from '../../units/led-lamp.js';
import lightSensor from '../../units/light-sensor.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

stopAfterEach();

const root = fileURLToPath(new URL('../../', import.meta.url));
let stateFolder: string;

beforeAll(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'fleet-'));
});
afterAll(() => rm(stateFolder, { recursive: true }));

async function firmware(unit: string) {
  const { program } = await buildNative(unit, { root });
  return { program, stateFolder };
}

describe('a fleet of compiled firmware', { timeout: 120_000 }, () => {
  it('is commanded as the simulated units are, a process each', async () => {
    const fleet = await startUnits({ definition: ledLamp, count: 2, firmware: await firmware('led-lamp') });
    const base = await startBase(fleet.believed());
    for (const { uid } of fleet.units)
      expect(await base.command(uid, 'setColor', { color: '#010203' })).toMatchObject({ outcome: 'ok' });
    const ofSecond = (): unknown[] =>
      base.reports.filter(({ unit }) => unit === 'led-lamp-2').map(({ fields }) => fields.color);
    await soon(() => expect(ofSecond()).toContain('#010203'));
  });

  it('comes back with a new boot number after a restart', async () => {
    const fleet = await startUnits({ definition: ledLamp, uid: 'hall', firmware: await firmware('led-lamp') });
    const base = await startBase(fleet.believed());
    expect(await base.command('hall', 'setColor', {})).toMatchObject({ outcome: 'ok' });
    await soon(() => expect(base.reports.some(({ boot }) => boot === 1)).toBe(true));
    await (fleet.units[0] as FirmwareUnit).restart();
    await soon(() => expect(base.state('hall')).not.toBe('online'));
    expect(await base.command('hall', 'setColor', {}, { ttlMs: 10_000 })).toMatchObject({ outcome: 'ok' });
    await soon(() => expect(base.reports.some(({ boot }) => boot === 2)).toBe(true));
  });

  it('is read line by line where its definition says so', async () => {
    const fleet = await startUnits({ definition: lightSensor, firmware: await firmware('light-sensor') });
    const base = await startBase(fleet.believed());
    await soon(() => expect(base.reports.length).toBeGreaterThan(0));
  });
});
