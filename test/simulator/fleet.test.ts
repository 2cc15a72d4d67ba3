import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../base/config/load-config.js';
import { systemClock, systemRandom } from '../../base/system.js';
import { Fleet, MAX_UNITS } from '../../simulator/fleet.js';
import { fleetNames } from '../../simulator/fleet-names.js';
import { simulate } from '../../simulator/simulate.js';
import ledLamp from '../../units/led-lamp.js';
import ledLampLine from '../../units/led-lamp-line.js';
import rainBarrel from '../../units/rain-barrel.js';
import thermometer from '../../units/thermometer.js';
import { ManualClock } from '../support/manual-clock.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';

stopAfterEach();

const real = { clock: systemClock, random: systemRandom };

describe('a fleet', () => {
  it('of 1 000 units in one process answers one command each', { timeout: 60_000 }, async () => {
    const count = 1_000;
    const fleet = await startUnits({ definition: ledLamp, count });
    const base = await startBase(fleet.believed());
    const outcomes = await Promise.all(
      fleet.units.map(({ uid }, index) =>
        base.command(uid, 'setColor', { color: `#${index.toString(16).padStart(6, '0')}` }),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'ok')).toHaveLength(count);
    const applied = fleet.of('applied').map(({ unit, fields }) => `${unit} ${fields.color}`);
    expect(new Set(applied).size).toBe(count);
    expect(applied).toHaveLength(count);
  });

  it('waits with one timer, however many units measure', async () => {
    const clock = new ManualClock();
    const fleet = new Fleet({ clock, random: systemRandom, definition: thermometer, count: 50 });
    await fleet.start();
    expect(clock.waiting).toBe(1);
    await clock.advance(10_000);
    expect(clock.waiting).toBe(1);
    await fleet.stop();
    expect(clock.waiting).toBe(0);
  });

  it('measures the same with the same seed, and something else with another', async () => {
    const measured = async (seed: string): Promise<unknown[]> => {
      const clock = new ManualClock();
      const fleet = await startUnits({ clock, definition: rainBarrel, count: 2, seed });
      await clock.advance(60_000);
      return fleet.units.map((unit) =>
        (unit as unknown as { state: { values(name: string): unknown } }).state.values('level'),
      );
    };
    const first = await measured('a');
    expect(await measured('a')).toEqual(first);
    expect(await measured('b')).not.toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
  });

  it('listens on consecutive ports from the one given', async () => {
    const from = await freePorts(3);
    const fleet = await startUnits({ definition: ledLampLine, count: 3, listen: { host: '127.0.0.1', port: from } });
    expect(fleet.units.map(({ address }) => address?.port)).toEqual([from, from + 1, from + 2]);
  });

  it('says which port is taken, and leaves nothing behind', async () => {
    const taken = await startUnits({ definition: ledLampLine });
    const { port } = taken.units[0]!.address!;
    const listen = { host: '127.0.0.1', port };
    await expect(simulate({ ...real, definition: ledLamp, listen })).rejects.toMatchObject({
      code: 'port-in-use',
      message: `cannot listen on 127.0.0.1:${port}: EADDRINUSE`,
    });
  });

  it('gives the units.known that a base takes as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-'));
    try {
      const simulation = await simulate({
        ...real,
        definition: ledLamp,
        count: 2,
        keyOf: () => new Uint8Array(16).fill(0x43),
      });
      const known = simulation.known();
      await simulation.stop();
      await simulation.stop();
      expect(Object.keys(known)).toEqual(['led-lamp-1', 'led-lamp-2']);
      expect(known['led-lamp-1']).toMatchObject({ definition: 'led-lamp', key: '43'.repeat(16) });
      const file = join(folder, 'base.json');
      await writeFile(file, JSON.stringify({ units: { known } }), { mode: 0o600 });
      const definitions = new Map([['led-lamp', { definition: ledLamp, file: 'units/led-lamp.ts' }]]);
      const { configuration } = loadConfiguration(file, definitions);
      expect(configuration.units?.known.map(({ uid }) => uid)).toEqual(Object.keys(known));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses what cannot be', () => {
    const make = (more: object) => () => new Fleet({ ...real, definition: ledLamp, ...more });
    const invalid = expect.objectContaining({ code: 'config-invalid' });
    expect(make({ count: 0 })).toThrow(invalid);
    expect(make({ count: MAX_UNITS + 1 })).toThrow(invalid);
    expect(make({ count: MAX_UNITS })).not.toThrow();
    expect(make({ count: 3, listen: { host: '127.0.0.1', port: 65_533 } })).not.toThrow();
    expect(make({ count: 4, listen: { host: '127.0.0.1', port: 65_533 } })).toThrow(invalid);
    const dial = { address: { host: '127.0.0.1', port: 8888 } };
    expect(make({ dial, definition: ledLampLine })).toThrow(invalid);
  });
});

describe('the names of a fleet', () => {
  it('are the definition and a number, cut to the 16 octets of a UID', () => {
    expect(fleetNames('led-lamp', 2, true)).toEqual(['led-lamp-1', 'led-lamp-2']);
    expect(fleetNames('led-lamp-line', 1_000, true).at(-1)).toBe('led-lamp-li-1000');
    expect(fleetNames('led-lamp-line', 100_000, true)[0]).toBe('led-lamp-1');
    expect(fleetNames('hall', 1, false)).toEqual(['hall']);
    expect(fleetNames('hall', 2, false)).toEqual(['hall-1', 'hall-2']);
  });

  it('that were given are not cut but refused', () => {
    const invalid = expect.objectContaining({ code: 'config-invalid' });
    expect(fleetNames('sixteen-octets-1', 1, false)).toEqual(['sixteen-octets-1']);
    expect(() => fleetNames('seventeen-octets1', 1, false)).toThrow(invalid);
    expect(() => fleetNames('fifteen-octets1', 2, false)).toThrow(invalid);
    expect(() => fleetNames('', 1, false)).toThrow(invalid);
  });
});

/** The first of so many ports in a row that are free now. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const servers = [createServer()];
    await new Promise<void>((resolve) => servers[0]!.listen(0, '127.0.0.1', resolve));
    const first = (servers[0]!.address() as { port: number }).port;
    let isFree = first + count <= 65_535;
    for (let index = 1; isFree && index < count; index += 1) {
      const server = createServer();
      servers.push(server);
      isFree = await new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(first + index, '127.0.0.1', () => resolve(true));
      });
    }
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    if (isFree) return first;
  }
}
