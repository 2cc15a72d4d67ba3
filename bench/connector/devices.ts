import { setTimeout as pause } from 'node:timers/promises';
import { load } from '../load/load.js';
import { collecting, smallYoungGeneration } from '../load/memory.js';
import { startNodePeer } from '../load/node-peer.js';
import type { RunningPeer } from '../load/peer.js';
import { ROUNDS, type Spread, spread } from '../load/rounds.js';
import { startConnector } from './connector.js';

export const DEVICES = 10_000;
/** Until every device has had its first ping (after 15 s), and two more. */
const HELD_MS = { warmUp: 16_000, measured: 31_000 };
/** Until a drop is dealt with. */
const SETTLE_MS = 1_000;

/** As the generator prints it (load/generator/sessions.c). */
interface Held {
  readonly openedMs: number;
  readonly openedCpuMs: number;
  readonly residentBefore: number;
  readonly residentAtFirst: number;
  readonly resident: number;
  readonly cpuMsPerS: number;
}

export interface DevicesRow {
  readonly peer: string;
  /** Resident memory with all of them less that with none, for one of them: 2 s after the last had come … */
  readonly octetsAtFirst: number;
  /** … and at the end, where all garbage was collected before. */
  readonly octetsHeld: number;
  readonly cpuMsPerS: number;
  /** All of them accepted, of several rounds. */
  readonly openedMs: Spread;
  readonly openedCpuMs: Spread;
}

const bare = new URL('./bare-websocket-server.js', import.meta.url);
const nodeOptions = [...collecting, ...smallYoungGeneration];

const peers = [
  { name: 'baseunit', start: startConnector },
  {
    name: 'bare ws server',
    start: (options: readonly string[]) => startNodePeer('bare ws server', bare, options),
  },
] as const;

/** Ten thousand WebSocket devices: idle, in both at the same time; then coming, in turn, again and again. */
export async function devices(): Promise<readonly DevicesRow[]> {
  const held = await Promise.all(peers.map(({ start }) => hold(start)));
  const opened = await openings();
  return peers.map(({ name }, index) => ({ peer: name, ...held[index]!, ...opened[index]! }));
}

async function hold(
  start: (options: readonly string[]) => Promise<RunningPeer>,
): Promise<Pick<DevicesRow, 'octetsAtFirst' | 'octetsHeld' | 'cpuMsPerS'>> {
  const peer = await start(nodeOptions);
  try {
    const { warmUp, measured } = HELD_MS;
    const found = await load<Held>('sessions', peer, {
      protocol: 'websocket',
      collect: true,
      count: DEVICES,
      'warm-up-ms': warmUp,
      ms: measured,
    });
    return {
      octetsAtFirst: (found.residentAtFirst - found.residentBefore) / DEVICES,
      octetsHeld: (found.resident - found.residentBefore) / DEVICES,
      cpuMsPerS: found.cpuMsPerS,
    };
  } finally {
    await peer.stop();
  }
}

async function openings(): Promise<readonly Pick<DevicesRow, 'openedMs' | 'openedCpuMs'>[]> {
  const running: RunningPeer[] = [];
  try {
    for (const { start } of peers) running.push(await start([]));
    const found: Held[][] = running.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, peer] of running.entries()) {
        const options = { protocol: 'websocket', count: DEVICES, 'warm-up-ms': 0, ms: 0 };
        found[index]!.push(await load<Held>('sessions', peer, options));
        await pause(SETTLE_MS);
      }
    }
    return found.map((rounds) => ({
      openedMs: spread(rounds.map(({ openedMs }) => openedMs)),
      openedCpuMs: spread(rounds.map(({ openedCpuMs }) => openedCpuMs)),
    }));
  } finally {
    for (const peer of running) await peer.stop();
  }
}
