import { describe, expect, it } from 'vitest';
import type { Random } from '../../base/core/random.js';
import { systemRandom } from '../../base/system.js';
import { defineUnit, u8 } from '../../protocol/definition/index.js';
import { FaultSwitch, faultKinds, parseFault } from '../../simulator/fault.js';
import { FaultyCarrier, MAX_SLOW_OCTETS } from '../../simulator/faulty-carrier.js';
import { SeededRandom } from '../../simulator/seeded-random.js';
import ledLamp from '../../units/led-lamp.js';
import rainBarrel from '../../units/rain-barrel.js';
import thermometer from '../../units/thermometer.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { pipe } from './support/pipe.js';
import { startBase, startUnits, stopAfterEach } from './support/running.js';
import { soon } from './support/soon.js';

stopAfterEach();

/** The base tries again at once. */
const impatient: Random = { octets: (count) => systemRandom.octets(count), fraction: () => 0 };

/** Reports all the time, and keeps what it cannot send. */
const busy = defineUnit({
  name: 'busy',
  version: '1.0.0',
  kind: 'read',
  reports: { count: { number: 1, everyMs: 50, fields: { count: u8() } } },
  ring: 255,
});

describe('silence', () => {
  it('makes a held link dead after 45 s, said once, and it is back when the unit is', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: thermometer });
    const base = await startBase(fleet.believed(), { clock });
    await soon(() => expect(base.state('thermometer-1')).toBe('online'));
    fleet.setFault({ kind: 'silence' });
    await clock.advance(44_999);
    expect(base.state('thermometer-1')).toBe('online');
    await clock.advance(1);
    await soon(() => expect(base.state('thermometer-1')).toBe('offline'));
    expect(base.router.get('thermometer-1')?.reason).toBe('nothing was heard for 45 s');
    // The unit still takes connections, but says nothing on them.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await clock.advance(60_000);
      await settle();
    }
    expect(base.state('thermometer-1')).toBe('offline');
    expect(base.warnings().filter((line) => line.includes('nothing was heard'))).toHaveLength(1);
    fleet.clearFaults();
    await soon(async () => {
      await clock.advance(500);
      expect(base.state('thermometer-1')).toBe('online');
    });
  });

  it('keeps the connection: the base is not told that it is over', async () => {
    const { carrier, peer, inner } = faultyPipe({ kind: 'silence' });
    carrier.write(Uint8Array.of(1));
    carrier.end();
    carrier.destroy();
    peer.write(Uint8Array.of(2));
    await settle();
    expect(inner.isClosed).toBe(false);
    expect(peerHeard).toEqual([]);
    expect(heard).toEqual([]);
  });
});

describe('cut', () => {
  it('in the middle of a command or its answer: the command is repeated and applied once', {
    timeout: 60_000,
  }, async () => {
    const fleet = await startUnits({ definition: rainBarrel });
    const base = await startBase(fleet.believed(), { random: impatient });
    await soon(() => expect(fleet.of('connected')).toHaveLength(1));
    await soon(() => expect(fleet.of('reported').length).toBeGreaterThanOrEqual(2));
    // Request 25 octets, answer 21; the reports that show it follow.
    for (let afterOctets = 1; afterOctets <= 46; afterOctets += 3) {
      const before = { applied: fleet.of('applied').length, lost: fleet.of('disconnected').length };
      fleet.setFault({ kind: 'cut', afterOctets });
      const outcome = base.command('rain-barrel-1', 'water', { beds: [1] });
      await soon(() => expect(fleet.of('disconnected').length).toBeGreaterThan(before.lost));
      fleet.clearFaults();
      expect(await outcome, `cut after ${afterOctets}`).toMatchObject({ outcome: 'ok' });
      expect(fleet.of('applied').length - before.applied, `cut after ${afterOctets}`).toBe(1);
      await soon(() => expect(base.state('rain-barrel-1')).toBe('online'));
    }
  });

  it('at random moments loses no report', async () => {
    const fleet = await startUnits({ definition: busy, faults: [{ kind: 'cut' }] });
    const base = await startBase(fleet.believed(), { random: impatient });
    const unit = fleet.units[0]!;
    await soon(() => expect(fleet.of('refusedConnection').length + fleet.of('disconnected').length).toBeGreaterThan(3));
    unit.faults?.clear();
    await soon(() => expect(base.reports.length).toBeGreaterThan(0));
    const sequences = base.reports.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  });
});

describe('slow', () => {
  it('writes octet by octet, and the session works all the same', async () => {
    const fleet = await startUnits({ definition: ledLamp, faults: [{ kind: 'slow', everyMs: 1 }] });
    const base = await startBase(fleet.believed());
    const outcome = await base.command('led-lamp-1', 'setColor', { color: '#123456' }, { ttlMs: 15_000 });
    expect(outcome).toMatchObject({ outcome: 'ok' });
  }, 30_000);

  it('is cut when more waits than its bound', async () => {
    const { carrier, inner, clock } = faultyPipe({ kind: 'slow', everyMs: 10 });
    carrier.write(new Uint8Array(MAX_SLOW_OCTETS));
    await clock.advance(0);
    // One octet of it is gone already.
    carrier.write(Uint8Array.of(1));
    expect(inner.isClosed).toBe(false);
    carrier.write(Uint8Array.of(1));
    expect(inner.isClosed).toBe(true);
  });

  it('writes the rest at once when it is over, and then closes', async () => {
    const { carrier, faults, clock } = faultyPipe({ kind: 'slow', everyMs: 10 });
    carrier.write(Uint8Array.of(1, 2, 3, 4));
    carrier.end();
    await clock.advance(10);
    expect(peerHeard).toEqual([1, 2]);
    faults.clear();
    await clock.advance(10);
    expect(peerHeard).toEqual([1, 2, 3, 4, 'ended']);
  });
});

describe('garbage', () => {
  it('is refused, counted, and the link comes back when it stops', async () => {
    const fleet = await startUnits({ definition: busy });
    const base = await startBase(fleet.believed(), { random: impatient });
    await soon(() => expect(base.state('busy-1')).toBe('online'));
    fleet.setFault({ kind: 'garbage' });
    await soon(() => expect(base.presences.some(({ state }) => state === 'offline')).toBe(true));
    fleet.clearFaults();
    const before = base.reports.length;
    await soon(() => expect(base.reports.length).toBeGreaterThan(before + 2));
    expect(base.reports.map(({ sequence }) => sequence)).toEqual(base.reports.map((_, index) => index + 1));
    expect(base.state('busy-1')).toBe('online');
  });
});

describe('wrong-key', () => {
  it('is refused by the base, and forgotten when it is switched off', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: thermometer, faults: [{ kind: 'wrong-key' }] });
    const base = await startBase(fleet.believed(), { clock });
    await soon(() => expect(base.router.get('thermometer-1')?.reason).toMatch(/does not have the key/));
    fleet.clearFaults('thermometer-1');
    await clock.advance(300_000);
    await soon(() => expect(base.state('thermometer-1')).toBe('online'));
  });
});

describe('mute-commands', () => {
  it('applies a command and never answers it', async () => {
    const clock = new ManualClock();
    const fleet = await startUnits({ definition: ledLamp, faults: [{ kind: 'mute-commands' }] });
    const base = await startBase(fleet.believed(), { clock });
    const outcome = base.command('led-lamp-1', 'setColor', { color: '#ffffff' });
    await soon(() => expect(fleet.of('applied')).toHaveLength(1));
    await clock.advance(5_000);
    expect(await outcome).toMatchObject({ outcome: 'timeout' });
  });
});

describe('refuse', () => {
  it('refuses every command', async () => {
    const fleet = await startUnits({ definition: ledLamp, faults: [{ kind: 'refuse' }] });
    const base = await startBase(fleet.believed());
    expect(await base.command('led-lamp-1', 'setColor')).toMatchObject({ outcome: 'refused' });
    expect(fleet.of('applied')).toEqual([]);
  });
});

describe('a fault as people write it', () => {
  it('is its name, with a number for cut and slow', () => {
    for (const kind of faultKinds) expect(parseFault(kind).kind).toBe(kind);
    expect(parseFault('cut:200')).toEqual({ kind: 'cut', afterOctets: 200 });
    expect(parseFault('cut:1000000')).toEqual({ kind: 'cut', afterOctets: 1_000_000 });
    expect(parseFault('slow:50')).toEqual({ kind: 'slow', everyMs: 50 });
    expect(parseFault('slow')).toEqual({ kind: 'slow', everyMs: 20 });
  });

  it('is refused when it is none', () => {
    for (const text of ['', 'fire', 'cut:', 'cut:0', 'cut:1000001', 'cut:1:2', 'slow:x', 'silence:3'])
      expect(() => parseFault(text), text).toThrow(expect.objectContaining({ code: 'config-invalid' }));
  });
});

const heard: (number | string)[] = [];
const peerHeard: (number | string)[] = [];

function faultyPipe(fault: Parameters<FaultSwitch['set']>[0]) {
  heard.length = 0;
  peerHeard.length = 0;
  const clock = new ManualClock();
  const faults = new FaultSwitch([fault]);
  const { unit: inner, base: peer } = pipe();
  const carrier = new FaultyCarrier({ carrier: inner, faults, clock, random: new SeededRandom('') });
  for (const [end, list] of [
    [carrier, heard],
    [peer, peerHeard],
  ] as const) {
    const ended = (): void => void list.push('ended');
    end.attach({ octets: (chunk) => list.push(...chunk), drained: () => {}, ended, closed: () => {} });
  }
  return { carrier, peer, inner, faults, clock };
}
