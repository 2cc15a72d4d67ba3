import { setTimeout as pause } from 'node:timers/promises';
import { load } from '../load/load.js';
import { collecting, residentWhenCollected } from '../load/memory.js';
import type { RunningPeer } from '../load/peer.js';
import { ROUNDS, type Spread, spread } from '../load/rounds.js';
import { startConcentrator } from './concentrator.js';
import { SESSIONS } from './idle-sessions.js';
import { startOwnPeer } from './node-peers.js';

/** Until a drop is dealt with. */
const SETTLE_MS = 1_000;

/** As the generator prints it (generator/sessions.c). */
interface Opened {
  readonly openedMs: number;
  readonly openedCpuMs: number;
}

export interface Openings {
  /** All of them: accepted; accepted and authenticated. */
  readonly bareMs: Spread;
  readonly oursMs: Spread;
  readonly bareCpuMs: Spread;
  readonly oursCpuMs: Spread;
  /** Resident memory of ours after all had gone and all garbage was collected, round after round. */
  readonly octetsAfter: readonly number[];
}

/** Ten thousand that come and all go at once, again and again. Rejects when the base does not live through it. */
export async function openings(): Promise<Openings> {
  const running: RunningPeer[] = [];
  try {
    running.push(await startOwnPeer('bare Node server'));
    running.push(await startConcentrator(collecting));
    const [bare, ours] = running as [RunningPeer, RunningPeer];
    const found: { readonly bare: Opened; readonly ours: Opened }[] = [];
    const octetsAfter: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const options = { count: SESSIONS, 'warm-up-ms': 0, ms: 0 };
      found.push({
        bare: await load<Opened>('sessions', bare, { protocol: 'bare', ...options }),
        ours: await load<Opened>('sessions', ours, { protocol: 'iotsocket', ...options }),
      });
      await pause(SETTLE_MS);
      octetsAfter.push(await residentWhenCollected(ours.pid));
    }
    return {
      bareMs: spread(found.map((round) => round.bare.openedMs)),
      oursMs: spread(found.map((round) => round.ours.openedMs)),
      bareCpuMs: spread(found.map((round) => round.bare.openedCpuMs)),
      oursCpuMs: spread(found.map((round) => round.ours.openedCpuMs)),
      octetsAfter,
    };
  } finally {
    for (const peer of running) await peer.stop();
  }
}
