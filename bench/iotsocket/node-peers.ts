import { fileURLToPath } from 'node:url';
import { freePort } from '../../cli/free-port.js';
import { type RunningPeer, startPeer } from './peer.js';

/** Programs of ours beside this file, in what is compiled. */
const programs = {
  'plain Node relay': new URL('./plain-relay.js', import.meta.url),
  'bare Node server': new URL('./bare-server.js', import.meta.url),
  'bare Node sink': new URL('./bare-sink.js', import.meta.url),
} as const;

/** `nodeOptions` as for Node's own command line. */
export async function startNodePeer(
  name: keyof typeof programs,
  nodeOptions: readonly string[] = [],
): Promise<RunningPeer> {
  const port = await freePort();
  const command = [process.execPath, ...nodeOptions, fileURLToPath(programs[name]), String(port)];
  return startPeer({ name, command, port, udpPort: port });
}
