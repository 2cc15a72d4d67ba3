import { onTestFinished } from 'vitest';
import { systemClock, systemRandom } from '../../../base/system.js';
import { Fleet } from '../../../simulator/fleet.js';
import type { SimulatedUnit } from '../../../simulator/simulated-unit.js';
import thermometer from '../../../units/thermometer.js';
import { type Meters, textOf } from './meters.js';

/** Simulated thermometers that measure when they are told to, and remember what they measured and what was acknowledged. */
export interface Gauges extends Pick<Meters, 'known' | 'sent' | 'acknowledged'> {
  /** So many readings of each, one after the other; resolves when the base has acknowledged all there is. */
  report(each: number): Promise<void>;
}

/** Each has measured once already; the first `report` waits for that too. */
export async function startGauges(count: number): Promise<Gauges> {
  const { everyMs: _, ...quiet } = thermometer.reports.reading;
  const sent = new Map<string, string>();
  const acknowledged = new Map<string, number>();
  const owed = new Map<SimulatedUnit, number>();
  let measured = 0;
  let whenDone: (() => void) | undefined;
  const fleet = new Fleet({
    definition: { ...thermometer, reports: { reading: quiet } } as typeof thermometer,
    uid: 'gauge',
    count,
    clock: systemClock,
    random: systemRandom,
    hear: (event) => {
      if (event.kind !== 'reported' && event.kind !== 'connected') return;
      const unit = fleet.unit(event.unit) as SimulatedUnit;
      if (event.kind === 'reported' && event.stored)
        acknowledged.set(`${unit.uid}/${unit.boot}/${event.sequence}`, Date.now());
      next(unit);
      look();
    },
  });
  const units = fleet.units as readonly SimulatedUnit[];
  const next = (unit: SimulatedUnit): void => {
    const owes = owed.get(unit) ?? 0;
    if (owes === 0 || unit.waitingReports > 0) return;
    owed.set(unit, owes - 1);
    measured += 1;
    // Values that say which reading they are.
    const values = { temperature: Math.floor(measured / 1_000) / 10, humidity: (measured % 1_000) / 10 };
    const sequence = unit.report('reading', values);
    sent.set(`${unit.uid}/${unit.boot}/${sequence}`, textOf(values));
  };
  const look = (): void => {
    if (units.every((unit) => unit.waitingReports === 0 && (owed.get(unit) ?? 0) === 0)) whenDone?.();
  };
  onTestFinished(() => fleet.stop());
  await fleet.start();
  for (const unit of units) sent.set(`${unit.uid}/${unit.boot}/1`, textOf(unit.state.values('reading')));
  return {
    known: fleet.known(),
    sent,
    acknowledged,
    report: async (each) => {
      const done = new Promise<void>((resolve) => {
        whenDone = resolve;
      });
      for (const unit of units) owed.set(unit, each);
      for (const unit of units) next(unit);
      look();
      await done;
      // A base that was killed says of some only at the next hello that it has them.
      for (const id of sent.keys()) if (!acknowledged.has(id)) acknowledged.set(id, Date.now());
    },
  };
}
