import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findStore, withRecords } from '../../cli/offline-store.js';
import { startHouse, temporaryFolder } from './support/house.js';

/** Nothing is to be heard of the network that this machine is in. */
const discovery = { interface: 'no-such-network' };
const key = 'a5'.repeat(16);
const known = { stair: { definition: 'thermometer', address: 'mdns', key } };
const configuration = { discovery, units: { known } };

/** A state folder in whose store these units were adopted. */
async function withAdopted(units: Readonly<Record<string, object>>): Promise<string> {
  const folder = temporaryFolder();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify({ ...configuration, store: { file: join(folder, 'baseunit.db') } }), {
    mode: 0o600,
  });
  await withRecords(await findStore(file), 'discovery', async ({ put }) => {
    for (const [uid, value] of Object.entries(units)) await put({ key: uid, unit: uid, value });
  });
  return folder;
}

test('adopted units are served after a restart, until one is forgotten; a configured one is as configured', async () => {
  const folder = await withAdopted({
    cellar: { definition: 'thermometer', key },
    bulb: { definition: 'led-lamp-line' },
    stair: { definition: 'led-lamp', key },
    ghost: { definition: 'gone', key },
  });
  const first = await startHouse(configuration, undefined, undefined, folder);
  const served = first.base.router.list().map(({ unit, definition, dialect }) => [unit, definition, dialect]);
  expect(served.sort()).toEqual([
    ['bulb', 'led-lamp-line', 'line'],
    ['cellar', 'thermometer', 'unit'],
    ['stair', 'thermometer', 'unit'],
  ]);
  expect(first.base.router.get('cellar')).toMatchObject({
    address: 'mdns',
    state: 'offline',
    reason: expect.stringMatching(/^cellar was not found yet/),
  });
  expect(first.log.filter(({ fields }) => fields.unit === 'ghost')).toHaveLength(1);
  await first.base.router.forget('cellar');
  await first.base.router.forget('stair');
  expect([...first.base.router.uids()]).toEqual(['stair', 'bulb']);
  await first.base.stop();

  const second = await startHouse(configuration, undefined, undefined, folder);
  expect([...second.base.router.uids()]).toEqual(['stair', 'bulb']);
  await second.base.stop();

  // Nobody would find them.
  const third = await startHouse({ units: { listen: '127.0.0.1:0', known: {} } }, undefined, undefined, folder);
  expect([...third.base.router.uids()]).toEqual([]);
});

test('a unit that is adopted again while it is still being erased is there after a restart', async () => {
  const record = { key: 'bulb', unit: 'bulb', value: { definition: 'led-lamp-line' } };
  const folder = await withAdopted({ bulb: record.value });
  const { base } = await startHouse(configuration, undefined, undefined, folder);
  await Promise.all([base.router.forget('bulb'), base.router.records.put('discovery', record)]);
  await base.stop();
  const next = await startHouse(configuration, undefined, undefined, folder);
  expect([...next.base.router.uids()]).toEqual(['stair', 'bulb']);
});

test('a base goes on without the network that discovery is to use, and says so once', async () => {
  const { base, log } = await startHouse(configuration);
  expect(base.state).toBe('started');
  expect(log.filter(({ message }) => /does not reach the network|lost the Avahi/.test(message))).toHaveLength(1);
  await base.stop();
  expect(base.state).toBe('gracefully_stopped');
});
