import { freePort } from '../../cli/free-port.js';
import { buildGenerator } from './generator.js';
import { type RunningPeer, startPeer } from './peer.js';

/** A server in C that opens sessions and pings, and nothing else (generator/idle_server.h). */
export async function startCServer(sessions: number): Promise<RunningPeer> {
  const port = await freePort();
  const command = [await buildGenerator(), 'idle-server', '--port', String(port), '--count', String(sessions)];
  return startPeer({ name: 'bare C server', command, port });
}
