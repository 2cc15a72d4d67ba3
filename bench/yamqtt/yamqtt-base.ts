import { freePort } from '../../cli/free-port.js';
import { startBasePeer } from '../load/base-peer.js';
import type { RunningPeer } from '../load/peer.js';

/** More than the load of the bench has (flows.ts): here it is not the bounds that are measured. */
const limits = { silentClients: 16_384, silentClientsPerAddress: 16_384, unsentOctets: 4 * 1024 * 1024 };

/** The base as its user runs it, with YAMQTT. */
export async function startYamqttBase(): Promise<RunningPeer> {
  const port = await freePort();
  const configuration = { name: 'bench', yamqtt: { tcp: `127.0.0.1:${port}`, limits } };
  return startBasePeer({ configuration, port });
}
