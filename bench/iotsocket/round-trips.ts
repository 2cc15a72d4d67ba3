import { startMosquitto, startNatsServer } from '../load/brokers.js';
import { load } from '../load/load.js';
import type { RunningPeer } from '../load/peer.js';
import { ROUNDS, type Spread, spread } from '../load/rounds.js';
import { startConcentrator } from './concentrator.js';
import { startOwnPeer } from './node-peers.js';

/** Objects, each with one request under way. */
export const IN_FLIGHT = 50;
/** Round trips a second of the paced half, whoever answers how soon. */
export const PACE = 1_000;
const WARM_UP_MS = 400;
const MEASURED_MS = 1_800;

/** As the generator prints it (generator/round_trips.c). */
interface RoundTrips {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly lost: number;
  readonly refused: number;
}

export interface RoundTripRow {
  readonly peer: string;
  /** `undefined`: it is not installed. */
  readonly figures:
    | {
        /** CPU time of the relaying process for one round trip, at full load. */
        readonly cpuUs: Spread;
        readonly perSecond: Spread;
        /** At {@link PACE}. */
        readonly p50Us: Spread;
        readonly p99Us: Spread;
      }
    | undefined;
}

const peers = [
  { name: 'baseunit', protocol: 'iotsocket', start: startConcentrator },
  { name: 'plain Node relay', protocol: 'iotsocket', start: () => startOwnPeer('plain Node relay') },
  { name: 'mosquitto', protocol: 'mqtt', start: startMosquitto },
  { name: 'nats-server', protocol: 'nats', start: startNatsServer },
] as const satisfies readonly { name: string; protocol: string; start: () => Promise<RunningPeer | undefined> }[];

/** Object → central → object through each peer, round after round. Rejects when an answer is lost, refused or another's. */
export async function roundTrips(): Promise<readonly RoundTripRow[]> {
  const running: (RunningPeer | undefined)[] = [];
  try {
    for (const { start } of peers) running.push(await start());
    const full: RoundTrips[][] = peers.map(() => []);
    const paced: RoundTrips[][] = peers.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [index, { protocol }] of peers.entries()) {
        const peer = running[index];
        if (peer === undefined) continue;
        full[index]!.push(await measure(peer, protocol, 0));
        paced[index]!.push(await measure(peer, protocol, PACE));
      }
    return peers.map(({ name }, index) => {
      if (running[index] === undefined) return { peer: name, figures: undefined };
      const of = (runs: readonly RoundTrips[], figure: keyof RoundTrips): Spread =>
        spread(runs.map((run) => run[figure]));
      const [atFull, atPace] = [full[index]!, paced[index]!];
      return {
        peer: name,
        figures: {
          cpuUs: of(atFull, 'cpuUs'),
          perSecond: of(atFull, 'perSecond'),
          p50Us: of(atPace, 'p50Us'),
          p99Us: of(atPace, 'p99Us'),
        },
      };
    });
  } finally {
    for (const peer of running) await peer?.stop();
  }
}

async function measure(peer: RunningPeer, protocol: string, rate: number): Promise<RoundTrips> {
  const options = { protocol, count: IN_FLIGHT, rate, 'warm-up-ms': WARM_UP_MS, ms: MEASURED_MS };
  const found = await load<RoundTrips>('round-trips', peer, options);
  if (found.lost > 0 || found.refused > 0)
    throw new Error(`${peer.name}: ${found.lost} answers lost, ${found.refused} requests refused`);
  return found;
}
