import { findProgram } from '../../codegen/find-program.js';
import { runProgram } from '../../codegen/run-program.js';
import { load } from '../load/load.js';
import type { RunningPeer } from '../load/peer.js';
import { ROUNDS, type Spread, spread } from '../load/rounds.js';
import { startConcentrator } from './concentrator.js';
import { startOwnPeer } from './node-peers.js';

/** Objects that send. */
const OBJECTS = 100;
/** One rate is tried for so long. What a receive buffer of 4 MiB takes is some 0.1 s of it. */
const MEASURED_MS = 800;
const FIRST_RATE = 60_000;
/** The next round begins a little below what the one before found. */
const BELOW = 0.85;

/** As the generator prints it (generator/telemetry.c). */
interface Telemetry {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly isGeneratorsLimit: boolean;
}

export interface TelemetryRow {
  readonly peer: string;
  /** Datagrams of which none was lost. */
  readonly perSecond: Spread;
  /** CPU time for one of them, at that rate. */
  readonly cpuUs: Spread;
  /** The generator could not send more. */
  readonly isGeneratorsLimit: boolean;
  /** Octets that the kernel holds for the socket; `undefined`: there is no `ss` to ask. */
  readonly receiveOctets: number | undefined;
}

/** The most telemetry a second without loss: through the concentrator to a central, and into a sink that only counts. */
export async function telemetry(): Promise<readonly TelemetryRow[]> {
  const running: RunningPeer[] = [];
  try {
    running.push(await startConcentrator());
    running.push(await startOwnPeer('plain Node relay'));
    running.push(await startOwnPeer('bare Node sink'));
    const found = running.map((): Telemetry[] => []);
    const protocols = ['iotsocket', 'iotsocket', 'bare'] as const;
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [index, peer] of running.entries()) {
        const before = found[index]!.at(-1)?.perSecond;
        const rate = before === undefined ? FIRST_RATE : Math.round(before * BELOW);
        const options = { protocol: protocols[index]!, count: OBJECTS, rate, ms: MEASURED_MS };
        found[index]!.push(await load<Telemetry>('telemetry', peer, options));
      }
    return await Promise.all(
      running.map(async (peer, index) => ({
        peer: peer.name,
        perSecond: spread(found[index]!.map(({ perSecond }) => perSecond)),
        cpuUs: spread(found[index]!.map(({ cpuUs }) => cpuUs)),
        isGeneratorsLimit: found[index]!.some(({ isGeneratorsLimit }) => isGeneratorsLimit),
        receiveOctets: await receiveOctets(peer.udpPort!),
      })),
    );
  } finally {
    for (const peer of running) await peer.stop();
  }
}

async function receiveOctets(port: number): Promise<number | undefined> {
  const program = findProgram(['ss'], process.env, ['/usr/sbin', '/sbin']);
  if (program === undefined) return undefined;
  const { output } = await runProgram(program, ['-uamnH', 'sport', '=', `:${port}`], { cwd: '/' });
  const [, octets] = /skmem:\(r\d+,rb(\d+)/.exec(output) ?? [];
  return octets === undefined ? undefined : Number(octets);
}
