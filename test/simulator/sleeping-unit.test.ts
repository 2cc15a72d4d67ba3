import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../../base/system.js';
import { closeCodes, returnCodes } from '../../protocol/iotsocket/transmission.js';
import { encodeCommand } from '../../protocol/unit/heads.js';
import { Fleet } from '../../simulator/fleet.js';
import { AWAKE_MS } from '../../simulator/simulated-unit.js';
import gardenProbe from '../../units/garden-probe.js';
import { settle } from '../support/manual-clock.js';
import { DialledUnit, KEY } from './support/dialled-unit.js';
import { RawBase } from './support/raw-base.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

const SLEEP_MS = 600_000;
const place = { kind: 'dial', address: { host: 'pipe', port: 1 }, sleepMs: SLEEP_MS } as const;
let dialled: DialledUnit;

/** The unit's first visit, whose one report waits for its answer. */
async function visit(waiting = 0): Promise<RawBase> {
  dialled = new DialledUnit(gardenProbe, { place, seed: 'garden' });
  const base = new RawBase(await dialled.carrier(), KEY, { waiting });
  await settle();
  expect(base.requests).toHaveLength(1);
  return base;
}

const store = async (base: RawBase): Promise<void> => {
  base.answer(base.requests.at(-1)!.tracking, returnCodes.valid);
  await settle();
};

describe('a unit that sleeps', () => {
  afterEach(() => dialled.stop());

  it('says A0 as soon as its report is stored, and comes back when it has slept', async () => {
    const base = await visit();
    expect(base.closeCode).toBeUndefined();
    await store(base);
    expect(base.closeCode).toBe(closeCodes.sleep);
    await dialled.clock.advance(SLEEP_MS - 1);
    expect(dialled.carriers).toHaveLength(1);
    await dialled.clock.advance(1);
    expect(dialled.carriers).toHaveLength(2);
  });

  it('starts anew when it wakes: another boot, out of deep sleep, with one new measurement', async () => {
    const base = await visit();
    expect(base.hello).toMatchObject({ boot: 1, resetReason: 0, freeHeap: 41_376 });
    const measured = dialled.unit.state.values('soil');
    await store(base);
    await dialled.clock.advance(SLEEP_MS);
    expect(dialled.of('woke')).toEqual([{ kind: 'woke', unit: 'unit-1', boot: 2 }]);
    const again = new RawBase(dialled.carriers[1]!, KEY);
    await settle();
    expect(again.hello).toMatchObject({ boot: 2, resetReason: 5, freeHeap: 41_376 });
    expect(again.hello!.nonce).not.toBe(base.hello!.nonce);
    expect(again.requests).toHaveLength(1);
    expect(dialled.unit.state.values('soil')).not.toEqual(measured);
  });

  it('stays for the commands that wait', async () => {
    const base = await visit(1);
    await store(base);
    expect(base.closeCode).toBeUndefined();
    base.request(encodeCommand({ number: 1, id: 9, fields: Uint8Array.of(55) }));
    await settle();
    expect(dialled.of('applied')).toMatchObject([{ command: 'setDryBelow', fields: { dryBelow: 55 } }]);
    expect(base.closeCode).toBe(closeCodes.sleep);
  });

  it('says A0 after 10 s at the latest', async () => {
    const base = await visit(3);
    await dialled.clock.advance(AWAKE_MS - 1);
    expect(base.closeCode).toBeUndefined();
    await dialled.clock.advance(1);
    expect(base.closeCode).toBe(closeCodes.sleep);
  });

  it('does not sleep where no base is there: it tries again every few seconds', async () => {
    let tries = 0;
    dialled = new DialledUnit(gardenProbe, {
      place,
      dial: async () => {
        tries += 1;
        throw new Error('nobody is there');
      },
    });
    await dialled.unit.start();
    await dialled.clock.advance(SLEEP_MS);
    expect(tries).toBeGreaterThan(SLEEP_MS / 15_000);
    expect(dialled.of('woke')).toEqual([]);
    expect(dialled.unit.waitingReports).toBe(1);
  });

  it('told to restart says so in its hello', async () => {
    const base = await visit(1);
    base.request(Uint8Array.of(113, 0, 0));
    await dialled.clock.advance(1_100);
    const again = new RawBase(dialled.carriers.at(-1)!, KEY);
    await settle();
    expect(again.hello).toMatchObject({ boot: 2, resetReason: 4 });
  });
});

describe('a fleet of units that sleep', () => {
  stopAfterEach();

  it('dials, and cannot do otherwise', () => {
    const options = { definition: gardenProbe, clock: systemClock, random: systemRandom };
    expect(() => new Fleet(options)).toThrow(
      'garden-probe sleeps, and dials its base when it wakes: say which with --dial host[:8888]',
    );
  });

  it('visits a base again and again: reports, mailbox, A0, sleep', async () => {
    const key = new Uint8Array(16).fill(3);
    const base = await startBase([{ uid: 'probe-1', definition: gardenProbe, key }], {
      listens: true,
    });
    const patient = base.command('probe-1', 'setDryBelow', { dryBelow: 44 }, { ttlMs: 60_000 });
    const fleet = await startUnits({
      definition: gardenProbe,
      uid: 'probe-1',
      dial: { address: base.address, sleepMs: 20 },
      keyOf: () => key,
    });
    expect(await patient).toMatchObject({ outcome: 'ok' });
    await soon(() => expect(fleet.of('woke').length).toBeGreaterThanOrEqual(3));
    const boots = new Set(base.reports.map(({ boot }) => boot));
    expect([...boots].slice(0, 3)).toEqual([1, 2, 3]);
    expect(base.reports.some(({ missing }) => missing !== undefined)).toBe(false);
    expect(fleet.of('applied')).toHaveLength(1);
    expect(base.router.get('probe-1')!.started).toMatchObject({ reset: 'woke from deep sleep', freeHeap: 41_376 });
  });
});
