import { startMosquitto, startNatsServer } from '../load/brokers.js';
import { load } from '../load/load.js';
import type { RunningPeer } from '../load/peer.js';
import { startConcentrator } from './concentrator.js';
import { startOwnPeer } from './node-peers.js';

/** Messages of one write. */
export const MESSAGES = 100;

/** As the generator prints it (generator/bursts.c). */
interface Burst {
  readonly toCentral: number;
  readonly toObject: number;
  /** 0: this protocol's pings are not looked at. */
  readonly pongs: number;
}

export interface BurstRow {
  readonly peer: string;
  /** Writes of the relay for so many messages that came in one; `undefined`: it is not installed. */
  readonly writes: Burst | undefined;
}

const peers = [
  { name: 'baseunit', protocol: 'iotsocket', start: startConcentrator },
  { name: 'plain Node relay', protocol: 'iotsocket', start: () => startOwnPeer('plain Node relay') },
  { name: 'mosquitto', protocol: 'mqtt', start: startMosquitto },
  { name: 'nats-server', protocol: 'nats', start: startNatsServer },
] as const satisfies readonly unknown[];

/** Many messages that come in one write, and the writes in which each peer passes them on. */
export async function bursts(): Promise<readonly BurstRow[]> {
  const rows: BurstRow[] = [];
  for (const { name, protocol, start } of peers) {
    const peer: RunningPeer | undefined = await start();
    try {
      const options = { protocol, count: MESSAGES };
      const writes = peer === undefined ? undefined : await load<Burst>('bursts', peer, options);
      rows.push({ peer: name, writes });
    } finally {
      await peer?.stop();
    }
  }
  return rows;
}
