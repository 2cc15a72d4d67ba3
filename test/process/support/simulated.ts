import { onTestFinished } from 'vitest';
import { loadDefinitions } from '../../../base/config/definitions.js';
import { systemClock, systemRandom } from '../../../base/system.js';
import type { FleetOptions } from '../../../simulator/fleet.js';
import { type RunningSimulation, simulate } from '../../../simulator/simulate.js';
import type { SimulationEvent } from '../../../simulator/simulation-event.js';

export interface Simulated extends RunningSimulation {
  readonly events: readonly SimulationEvent[];
  /** Resolves with the first event that is so, at or after `from`. */
  heard<K extends SimulationEvent['kind']>(
    kind: K,
    isSo?: (event: Extract<SimulationEvent, { kind: K }>) => boolean,
    from?: number,
  ): Promise<Extract<SimulationEvent, { kind: K }>>;
}

/** Simulated units of an example definition in this process; gone after the test. */
export async function simulated(
  definition: string,
  options: Partial<Omit<FleetOptions, 'definition' | 'hear'>> = {},
): Promise<Simulated> {
  const events: SimulationEvent[] = [];
  const waiting = new Set<() => void>();
  const found = (await loadDefinitions()).get(definition)!;
  const simulation = await simulate({
    uid: definition,
    clock: systemClock,
    random: systemRandom,
    ...options,
    definition: found.definition,
    hear: (event) => {
      events.push(event);
      for (const look of [...waiting]) look();
    },
  });
  onTestFinished(() => simulation.stop());
  const heard: Simulated['heard'] = (kind, isSo = () => true, from = 0) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const event = events.slice(from).find((one) => one.kind === kind && isSo(one as never));
        if (event === undefined) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve(event as never);
      };
      const late = setTimeout(() => reject(new Error(`never ${kind}: ${JSON.stringify(events.slice(-20))}`)), 30_000);
      waiting.add(look);
      look();
    });
  return {
    units: simulation.units,
    known: () => simulation.known(),
    setFault: (fault, uid) => simulation.setFault(fault, uid),
    clearFaults: (uid) => simulation.clearFaults(uid),
    stop: () => simulation.stop(),
    events,
    heard,
  };
}
