import { freePort } from '../../cli/free-port.js';
import { startBasePeer } from '../load/base-peer.js';
import type { RunningPeer } from '../load/peer.js';

/** More than the load of the bench has: here it is not the bounds that are measured. */
const limits = { unproved: 16_384, unprovedPerAddress: 16_384, messagesPerS: 1_000_000, messageBurst: 1_000_000 };

/** One gateway, by the framing of its two listeners. */
export interface Gateway {
  readonly segment: RunningPeer;
  readonly line: RunningPeer;
}

/** The base as its user runs it, with an Elfin gateway. Its user need not be added first. */
export async function startGateway(): Promise<Gateway> {
  const [port, linePort] = [await freePort(), await freePort()];
  const configuration = {
    name: 'bench',
    elfin: {
      tcp: `127.0.0.1:${port}`,
      framing: 'segment',
      lineTcp: `127.0.0.1:${linePort}`,
      requireKnownUser: false,
      limits,
    },
  };
  const segment = await startBasePeer({ configuration, port });
  return { segment, line: { ...segment, port: linePort } };
}
