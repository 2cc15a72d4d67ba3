import { freePort } from '../../cli/free-port.js';
import { startBasePeer } from '../load/base-peer.js';
import type { RunningPeer } from '../load/peer.js';

/** More than any load of the bench: here it is not the bounds that are measured. */
const limits = { unproved: 16_384, unprovedPerAddress: 16_384, connectionsPerMinute: 1_000 };

/** The base as its user runs it, with a cloud connector for devices. `nodeOptions` as for Node's own command line. */
export async function startConnector(nodeOptions: readonly string[] = []): Promise<RunningPeer> {
  const port = await freePort();
  const configuration = { name: 'bench', connector: { websocket: `127.0.0.1:${port}`, limits } };
  return startBasePeer({ configuration, port, nodeOptions });
}
