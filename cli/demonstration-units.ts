import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Definitions } from '../base/config/definitions.js';
import { projectRoot } from '../base/project-root.js';
import { systemClock, systemRandom } from '../base/system.js';
import { COMPILER_MISSING, findCompiler } from '../codegen/compiler.js';
import { buildNative } from '../codegen/native-build.js';
import { writeFirmware } from '../codegen/write-firmware.js';
import { type RunningSimulation, simulate } from '../simulator/simulate.js';
import type { SimulationEvent } from '../simulator/simulation-event.js';
import { styled } from './terminal.js';

/** The units of the demonstration: one of each example but the one that sleeps most of the time. */
const examples = ['thermometer', 'led-lamp', 'light-sensor', 'led-lamp-line', 'rain-barrel'];

export interface DemonstrationUnit {
  readonly uid: string;
  readonly definition: string;
  /** `host:port` */
  readonly address: string;
  /** 32 hexadecimal digits; absent on line units. */
  readonly key?: string;
  /** What it is: a process, or simulated. */
  readonly what: string;
}

export interface DemonstrationUnits {
  readonly units: readonly DemonstrationUnit[];
  stop(): Promise<void>;
}

/** Builds and starts the example units: as processes running their firmware, or simulated without a compiler. */
export async function startDemonstrationUnits(options: {
  readonly definitions: Definitions;
  readonly stateFolder: string;
  readonly isSimulated: boolean;
  readonly signal: AbortSignal;
  /** Tells how the start goes on. */
  readonly tell: (line: string) => void;
  /** Shows a line of what units say. */
  readonly say: (line: string) => void;
}): Promise<DemonstrationUnits> {
  const { definitions, stateFolder, signal, say } = options;
  const names = examples.filter((name) => definitions.has(name));
  const programs = options.isSimulated ? undefined : await buildPrograms(names, definitions, signal, options.tell);
  const bootFolder = join(stateFolder, 'units');
  mkdirSync(bootFolder, { recursive: true });
  const started: { readonly name: string; readonly simulation: RunningSimulation }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.splice(0).map(({ simulation }) => simulation.stop()));
  };
  try {
    for (const name of names) {
      signal.throwIfAborted();
      const program = programs?.get(name);
      const simulation = await simulate({
        definition: definitions.get(name)!.definition,
        uid: name,
        ...(program === undefined ? {} : { firmware: { program, stateFolder: bootFolder } }),
        clock: systemClock,
        random: systemRandom,
        hear: (event) => show(event, say),
      });
      started.push({ name, simulation });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { units: started.map(({ name, simulation }) => unitOf(name, simulation)), stop };
}

async function buildPrograms(
  names: readonly string[],
  definitions: Definitions,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (findCompiler() === undefined) {
    tell(styled('yellow', `${COMPILER_MISSING}\nUntil then the units are simulated in TypeScript.`));
    return undefined;
  }
  await writeFirmware(projectRoot, definitions);
  const programs = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    const startedAt = performance.now();
    const { program } = await buildNative(name, { root: projectRoot, signal });
    programs.set(name, program);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    tell(`Firmware ${index + 1} of ${names.length} for this machine: ${name} (${seconds} s)`);
  }
  return programs;
}

function unitOf(name: string, simulation: RunningSimulation): DemonstrationUnit {
  const [unit] = simulation.units;
  const known = simulation.known()[name]!;
  const pid = unit !== undefined && 'pid' in unit ? (unit.pid as number | undefined) : undefined;
  return {
    uid: name,
    definition: name,
    address: known.address!,
    ...(known.key === undefined ? {} : { key: known.key }),
    what: pid === undefined ? 'simulated' : `firmware as process ${pid}`,
  };
}

/** What the units say themselves; readings and commands are shown as the base hears of them. */
function show(event: SimulationEvent, say: (line: string) => void): void {
  const line = (what: string, rest: string): void =>
    say(`          ${styled('magenta', event.unit.padEnd(16))}  ${what.padEnd(10)}  ${rest}`);
  if (event.kind === 'printed') line('says', event.line);
  if (event.kind === 'applied') line('applied', event.command);
  if (event.kind === 'exited') line('ended', event.reason);
}
