import type { Fault } from './fault.js';
import { Fleet, type FleetOptions, type FleetUnit, type KnownEntry } from './fleet.js';

export type SimulateOptions = FleetOptions;

/** Simulated units that run. */
export interface RunningSimulation {
  readonly units: readonly FleetUnit[];
  /** `units.known` for the base.json of a base that serves them. */
  known(): Record<string, KnownEntry>;
  /** For one unit, or for all. */
  setFault(fault: Fault, uid?: string): void;
  clearFaults(uid?: string): void;
  /** Resolves when every socket and process is gone. May be called twice. */
  stop(): Promise<void>;
}

/** Starts simulated units: what `baseunit simulate` does. Rejects with ConfigurationError, or `firmware-failed`. */
export async function simulate(options: SimulateOptions): Promise<RunningSimulation> {
  const fleet = new Fleet(options);
  await fleet.start();
  return fleet;
}
