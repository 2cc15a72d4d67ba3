import { setTimeout as pause } from 'node:timers/promises';
import { startMosquitto, startNatsServer } from '../load/brokers.js';
import { load } from '../load/load.js';
import { collecting, smallYoungGeneration } from '../load/memory.js';
import type { RunningPeer } from '../load/peer.js';
import { startCServer } from './c-server.js';
import { startConcentrator } from './concentrator.js';
import { startOwnPeer } from './node-peers.js';

export const SESSIONS = 10_000;
/** Until every session has had its first ping (after 15 s). */
const SETTLE_MS = 16_000;
/** Two pings of each. */
const MEASURED_MS = 31_000;

/** As the generator prints it (generator/sessions.c). */
interface Held {
  readonly residentBefore: number;
  readonly residentAtFirst: number;
  readonly resident: number;
  readonly cpuMsPerS: number;
  readonly pings: number;
  readonly heldS: number;
}

export interface IdleRow {
  readonly peer: string;
  /** `undefined`: it is not installed. */
  readonly figures:
    | {
        /** Resident memory with all of them less that with none, for one of them: 2 s after the last had come … */
        readonly octetsAtFirst: number;
        /** … and at the end, where all garbage was collected before. */
        readonly octetsHeld: number;
        readonly cpuMsPerS: number;
        readonly pingsPerS: number;
      }
    | undefined;
}

/** Pings come in a burst every 15 s after all have opened their sessions at once: one server's between the other's. */
const BETWEEN_PINGS_MS = 7_000;
const nodeOptions = [...collecting, ...smallYoungGeneration];

const peers = [
  { name: 'baseunit', protocol: 'iotsocket', collect: true, start: () => startConcentrator(nodeOptions) },
  {
    name: 'bare Node server',
    protocol: 'bare',
    collect: true,
    start: () => startOwnPeer('bare Node server', nodeOptions),
  },
  { name: 'bare C server', protocol: 'iotsocket', collect: false, start: () => startCServer(SESSIONS) },
  { name: 'mosquitto', protocol: 'mqtt', collect: false, start: startMosquitto },
  { name: 'nats-server', protocol: 'nats', collect: false, start: startNatsServer },
] as const satisfies readonly unknown[];

/** Ten thousand sessions that say nothing of their own, in every peer at the same time. */
export async function idleSessions(): Promise<readonly IdleRow[]> {
  const running: (RunningPeer | undefined)[] = [];
  try {
    for (const { start } of peers) running.push(await start());
    return await Promise.all(
      peers.map(async ({ name, protocol, collect }, index): Promise<IdleRow> => {
        const peer = running[index];
        if (peer === undefined) return { peer: name, figures: undefined };
        if (name === 'bare C server') await pause(BETWEEN_PINGS_MS);
        const options = { protocol, collect, count: SESSIONS, 'warm-up-ms': SETTLE_MS, ms: MEASURED_MS };
        const held = await load<Held>('sessions', peer, options);
        return {
          peer: name,
          figures: {
            octetsAtFirst: (held.residentAtFirst - held.residentBefore) / SESSIONS,
            octetsHeld: (held.resident - held.residentBefore) / SESSIONS,
            cpuMsPerS: held.cpuMsPerS,
            pingsPerS: held.pings / held.heldS,
          },
        };
      }),
    );
  } finally {
    for (const peer of running) await peer?.stop();
  }
}
