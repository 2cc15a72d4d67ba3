import { fileURLToPath } from 'node:url';
import { freePort } from '../../cli/free-port.js';
import { type RunningPeer, startPeer } from './peer.js';

/**
 * Starts a program of ours, in what is compiled, with a free port as its first word. `nodeOptions` as for Node's own command
 * line.
 */
export async function startNodePeer(
  name: string,
  program: URL,
  nodeOptions: readonly string[] = [],
  words: readonly string[] = [],
): Promise<RunningPeer> {
  const port = await freePort();
  const command = [process.execPath, ...nodeOptions, fileURLToPath(program), String(port), ...words];
  return startPeer({ name, command, port, udpPort: port });
}
