import { availableParallelism } from 'node:os';
import { findProgram } from '../../codegen/find-program.js';

/** Where the load runs, and where what is measured does: paced traffic varies threefold with who shares a core. */
const cores = { load: 0, relay: 1 } as const;

const taskset = availableParallelism() > 1 ? findProgram(['taskset']) : undefined;

/** A command line that runs this one on its core, where that can be done; the process is the program's own. */
export function placed(who: keyof typeof cores, command: readonly string[]): readonly string[] {
  return taskset === undefined ? command : [taskset, '-c', String(cores[who]), ...command];
}

/** What {@link placed} can do here. */
export const placement = taskset === undefined ? 'relay and load share all cores' : 'relay and load on a core each';
