import { startMosquitto } from '../load/brokers.js';
import { load } from '../load/load.js';
import { startNodePeer } from '../load/node-peer.js';
import type { RunningPeer } from '../load/peer.js';
import { type Spread, spread } from '../load/rounds.js';
import { startGateway } from './gateway.js';

export const PAIRS = 50;
/** Octets of a payload. */
export const PAYLOAD = 100;
const WARM_UP_MS = 250;
const MEASURED_MS = 500;
/** More of them than elsewhere, and shorter ones: what counts here is close to what it is held against. */
export const TUNNEL_ROUNDS = 11;

/** As the generator prints it (load/generator/tunnels.c). */
interface Tunnels {
  readonly perSecond: number;
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface TunnelsRow {
  readonly peer: string;
  /** `undefined`: it is not installed. */
  readonly figures:
    | {
        /** CPU time of the relaying process for one message, in either direction. */
        readonly cpuUs: Spread;
        readonly perSecond: Spread;
        /** From a question to its answer: two messages. */
        readonly p50Us: Spread;
        readonly p99Us: Spread;
      }
    | undefined;
}

const plainPipe = new URL('./plain-pipe.js', import.meta.url);

interface Peer {
  readonly name: string;
  readonly protocol: string;
  readonly running: RunningPeer | undefined;
}

/** Pairs with one message under way each, through each peer, round after round. Rejects when one is missing or is another's. */
export async function tunnels(): Promise<readonly TunnelsRow[]> {
  const stops: (() => Promise<void>)[] = [];
  try {
    const peers = await startPeers(stops);
    const found = peers.map((): Tunnels[] => []);
    for (let round = 0; round < TUNNEL_ROUNDS; round += 1)
      for (const [index, { protocol, running }] of peers.entries()) {
        if (running === undefined) continue;
        const options = { protocol, count: PAIRS, payload: PAYLOAD, 'warm-up-ms': WARM_UP_MS, ms: MEASURED_MS };
        found[index]!.push(await load<Tunnels>('tunnels', running, options));
      }
    return peers.map(({ name, running }, index) => {
      if (running === undefined) return { peer: name, figures: undefined };
      const of = (figure: keyof Tunnels): Spread => spread(found[index]!.map((round) => round[figure]));
      return {
        peer: name,
        figures: { cpuUs: of('cpuUs'), perSecond: of('perSecond'), p50Us: of('p50Us'), p99Us: of('p99Us') },
      };
    });
  } finally {
    for (const stop of stops) await stop();
  }
}

/** How each of them is stopped again goes into `stops`. */
async function startPeers(stops: (() => Promise<void>)[]): Promise<readonly Peer[]> {
  const started = <Some extends RunningPeer | undefined>(peer: Some): Some => {
    if (peer !== undefined) stops.push(() => peer.stop());
    return peer;
  };
  const { segment, line } = await startGateway();
  started(segment);
  const pipe = started(await startNodePeer('plain Node pipe', plainPipe));
  const stripping = started(await startNodePeer('plain Node pipe, stripping', plainPipe, [], ['line']));
  const mosquitto = started(await startMosquitto());
  return [
    { name: 'baseunit, in lines', protocol: 'elfin-line', running: line },
    { name: 'baseunit, in segments', protocol: 'elfin-segment', running: segment },
    { name: 'plain Node pipe', protocol: 'pipe', running: pipe },
    { name: 'plain Node pipe, taking the heads off', protocol: 'pipe-line', running: stripping },
    { name: 'mosquitto', protocol: 'mqtt', running: mosquitto },
  ];
}
