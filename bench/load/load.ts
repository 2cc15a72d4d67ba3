import { runProgram } from '../../codegen/run-program.js';
import { buildGenerator } from './generator.js';
import type { RunningPeer } from './peer.js';
import { placed } from './placement.js';

export type Measurement = 'round-trips' | 'sessions' | 'telemetry' | 'bursts' | 'flows' | 'tunnels';

/** Options of the generator (generator/options.h). */
export interface LoadOptions {
  readonly protocol: string;
  readonly count?: number;
  readonly payload?: number;
  readonly publishers?: number;
  readonly subscribers?: number;
  readonly run?: number;
  readonly window?: number;
  readonly rate?: number;
  readonly 'warm-up-ms'?: number;
  readonly ms?: number;
  readonly collect?: boolean;
}

/** Runs the generator against a peer, and gives its line of results. Rejects with its words when it found a fault. */
export async function load<Result>(what: Measurement, peer: RunningPeer, options: LoadOptions): Promise<Result> {
  const program = await buildGenerator();
  const all = { ...options, port: peer.port, 'udp-port': peer.udpPort ?? 0, pid: peer.pid };
  const words = Object.entries(all).flatMap(([name, value]) =>
    typeof value === 'boolean' ? (value ? [`--${name}`] : []) : [`--${name}`, String(value)],
  );
  const [command, ...rest] = placed('load', [program, what, ...words]);
  const { exitCode, output } = await runProgram(command!, rest, { cwd: process.cwd() });
  if (exitCode !== 0) throw new Error(`${peer.name}, ${what}: ${output.trim()}`);
  return JSON.parse(output) as Result;
}
