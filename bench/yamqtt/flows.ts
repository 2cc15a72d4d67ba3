import { startMosquitto } from '../load/brokers.js';
import { load } from '../load/load.js';
import { startNodePeer } from '../load/node-peer.js';
import type { RunningPeer } from '../load/peer.js';
import { ROUNDS, type Spread, spread } from '../load/rounds.js';
import { startYamqttBase } from './yamqtt-base.js';

const WARM_UP_MS = 200;
const MEASURED_MS = 600;

/**
 * Who publishes and who hears, all on one flow; messages that a publisher writes at once; and how many are on the way to a
 * subscriber at most. With 100 publishers these are 8 of each, or one: then every read of the relay brings one message.
 */
export const loads = [
  { name: '1→1, 1 a write', publishers: 1, subscribers: 1, run: 1, window: 64 },
  { name: '1→1, 16 a write', publishers: 1, subscribers: 1, run: 16, window: 64 },
  { name: '1→100, 1 a write', publishers: 1, subscribers: 100, run: 1, window: 64 },
  { name: '1→100, 16 a write', publishers: 1, subscribers: 100, run: 16, window: 64 },
  { name: '100→1, 1 a write', publishers: 100, subscribers: 1, run: 1, window: 800 },
  { name: '100→1, 16 a write', publishers: 100, subscribers: 1, run: 16, window: 800 },
  { name: '100→1, 1 a write, 1 of each under way', publishers: 100, subscribers: 1, run: 1, window: 100 },
] as const;
export type LoadName = (typeof loads)[number]['name'];

/** As the generator prints it (load/generator/flows.c). */
interface Flows {
  readonly perSecond: number;
  readonly cpuUs: number;
}

export interface FlowsRow {
  readonly load: LoadName;
  readonly peer: string;
  /** `undefined`: it is not installed. */
  readonly figures:
    | {
        /** CPU time of the relaying process for one message that one subscriber got. */
        readonly cpuUs: Spread;
        /** Messages that subscribers got. */
        readonly perSecond: Spread;
      }
    | undefined;
}

const plainRelay = new URL('./plain-relay.js', import.meta.url);

const peers = [
  { name: 'baseunit', protocol: 'yamqtt', start: startYamqttBase },
  {
    name: 'plain Node relay',
    protocol: 'yamqtt',
    start: () => startNodePeer('plain Node relay', plainRelay),
  },
  {
    name: 'plain Node relay, in runs',
    protocol: 'yamqtt',
    start: () => startNodePeer('plain Node relay, in runs', plainRelay, [], ['runs']),
  },
  { name: 'mosquitto', protocol: 'mqtt', start: startMosquitto },
] as const satisfies readonly { name: string; protocol: string; start: () => Promise<RunningPeer | undefined> }[];

/** Publishers → subscribers through each peer, round after round. Rejects when a message is missing, another's or not in order. */
export async function flows(): Promise<readonly FlowsRow[]> {
  const running: (RunningPeer | undefined)[] = [];
  try {
    for (const { start } of peers) running.push(await start());
    const found = loads.map(() => peers.map((): Flows[] => []));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [index, { publishers, subscribers, run, window }] of loads.entries())
        for (const [which, { protocol }] of peers.entries()) {
          const peer = running[which];
          if (peer === undefined) continue;
          const options = { protocol, publishers, subscribers, run, window };
          const times = { 'warm-up-ms': WARM_UP_MS, ms: MEASURED_MS };
          found[index]![which]!.push(await load<Flows>('flows', peer, { ...options, ...times }));
        }
    return loads.flatMap(({ name }, index) =>
      peers.map((peer, which) => {
        if (running[which] === undefined) return { load: name, peer: peer.name, figures: undefined };
        const of = (figure: keyof Flows): Spread => spread(found[index]![which]!.map((round) => round[figure]));
        return { load: name, peer: peer.name, figures: { cpuUs: of('cpuUs'), perSecond: of('perSecond') } };
      }),
    );
  } finally {
    for (const peer of running) await peer?.stop();
  }
}
