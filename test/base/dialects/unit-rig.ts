import { afterEach, expect } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { UnitDialect } from '../../../base/dialects/unit/unit-dialect.js';
import type { Transmission } from '../../../protocol/iotsocket/transmission.js';
import lamp from '../../../units/led-lamp.js';
import barrel from '../../../units/rain-barrel.js';
import thermometer from '../../../units/thermometer.js';
import { countingCrypto } from '../../protocol/crypto.js';
import { DialectRig } from './dialect-rig.js';
import { KEY, ScriptedUnit, type ScriptOptions } from './scripted-unit.js';

export const address = { host: '10.0.0.1', port: 8888 };
export const hall: ServedUnit = { uid: 'hall', definition: thermometer, address, key: KEY };
export const kitchen: ServedUnit = { uid: 'lamp', definition: lamp, address, key: KEY };
export const garden: ServedUnit = { uid: 'garden', definition: barrel, address, key: KEY };
export const attic: ServedUnit = { uid: 'attic', definition: thermometer, address: undefined, key: KEY };
export const values = { temperature: 21.5, humidity: 40 };

let rig: DialectRig | undefined;
afterEach(async () => {
  if (rig === undefined) return;
  const stopped = rig.stop();
  await rig.clock.advance(2_000);
  await stopped;
  await rig.clock.advance(0);
  expect(rig.clock.waiting, 'timers left behind').toBe(0);
  expect(rig.table.size, 'links still claimed').toBe(0);
  rig = undefined;
});

export async function serving(...units: ServedUnit[]): Promise<DialectRig> {
  rig = new DialectRig();
  await rig.start(new UnitDialect({ crypto: countingCrypto(0), listen: { host: '127.0.0.1', port: 0 } }), units);
  return rig;
}

/** The last connection that the base has dialled, as the unit there sees it. */
export const unitOf = (base: DialectRig, served: ServedUnit, options: Partial<ScriptOptions> = {}): ScriptedUnit =>
  new ScriptedUnit(base.dialled.at(-1)!, { uid: served.uid, definition: served.definition, ...options });

/** A read unit that is up. */
export async function up(
  served = hall,
  options: Partial<ScriptOptions> = {},
): Promise<{ base: DialectRig; unit: ScriptedUnit }> {
  const base = await serving(served);
  const unit = unitOf(base, served, options);
  expect(await unit.greet()).toMatchObject([{ kind: 'response', code: 0 }]);
  return { base, unit };
}

export const closeOf = (code: number) => ({ kind: 'close', code });
export const reasonOf = (transmission: Transmission | undefined): string =>
  transmission?.kind === 'response' ? new TextDecoder().decode(transmission.payload.data) : '';
export const requestOf = (transmission: Transmission | undefined) => {
  if (transmission?.kind !== 'request') throw new Error(`a request was expected, ${transmission?.kind} came`);
  return transmission;
};
