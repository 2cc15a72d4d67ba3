import { onTestFinished } from 'vitest';
import { systemClock, systemRandom } from '../../../base/system.js';
import { Fleet, type KnownEntry } from '../../../simulator/fleet.js';
import type { SimulatedUnit } from '../../../simulator/simulated-unit.js';
import thermometer from '../../../units/thermometer.js';

/** How often a meter that waits for nothing is made to measure. */
const KICK_MS = 20;

/** Values that say which reading they are: no two readings of a test are alike. */
function valuesOf(count: number): { readonly temperature: number; readonly humidity: number } {
  return { temperature: (Math.floor(count / 1_000) - 400) / 10, humidity: (count % 1_000) / 10 };
}

/** Simulated thermometers that report as fast as they are acknowledged, and remember every reading. */
export interface Meters {
  /** Of the configuration. */
  readonly known: Record<string, KnownEntry>;
  /** What was ever measured: the values by `uid/boot/sequence`. */
  readonly sent: ReadonlyMap<string, string>;
  /** The base has them for good: when the unit learnt it at the latest, Unix ms, by the same. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** No more than what waits. */
  pause(): void;
  /** Readings that no base has acknowledged. */
  readonly waiting: number;
}

/** The text that two readings have in common when they are one. */
export const textOf = (fields: object): string => JSON.stringify(Object.entries(fields).sort());

export async function startMeters(count: number): Promise<Meters> {
  const { reading } = thermometer.reports;
  const { everyMs: _, ...quiet } = reading;
  const sent = new Map<string, string>();
  const acknowledged = new Map<string, number>();
  let measured = 0;
  let isPaused = false;
  const fleet = new Fleet({
    // The same messages and so the same fingerprint; when to measure is ours.
    definition: { ...thermometer, reports: { reading: quiet } } as typeof thermometer,
    uid: 'meter',
    count,
    clock: systemClock,
    random: systemRandom,
    hear: (event) => {
      if (event.kind !== 'reported' || event.sequence === undefined) return;
      const unit = fleet.unit(event.unit) as SimulatedUnit;
      const id = `${event.unit}/${unit.boot}/${event.sequence}`;
      if (event.stored) acknowledged.set(id, Date.now() + 1);
      measure(unit);
    },
  });
  const measure = (unit: SimulatedUnit): void => {
    if (isPaused) return;
    measured += 1;
    const values = valuesOf(measured);
    const sequence = unit.report('reading', values);
    sent.set(`${unit.uid}/${unit.boot}/${sequence}`, textOf(values));
  };
  // A reading of which the base says at the hello that it has it is acknowledged too, but no event says so.
  const kick = setInterval(() => {
    for (const unit of fleet.units as readonly SimulatedUnit[]) if (unit.waitingReports === 0) measure(unit);
  }, KICK_MS);
  onTestFinished(() => clearInterval(kick));
  onTestFinished(() => fleet.stop());
  await fleet.start();
  const units = fleet.units as readonly SimulatedUnit[];
  // What they measured at their start.
  for (const unit of units) sent.set(`${unit.uid}/${unit.boot}/1`, textOf(unit.state.values('reading')));
  return {
    known: fleet.known(),
    sent,
    acknowledged,
    pause: () => {
      isPaused = true;
    },
    get waiting() {
      return units.reduce((sum, unit) => sum + unit.waitingReports, 0);
    },
  };
}
