import { freePort } from '../../cli/free-port.js';
import { buildGenerator } from '../load/generator.js';
import { type RunningPeer, startPeer } from '../load/peer.js';

/** A server in C that opens sessions and pings, and nothing else (generator/idle_server.h). */
export async function startCServer(sessions: number): Promise<RunningPeer> {
  const port = await freePort();
  const command = [await buildGenerator(), 'idle-server', '--port', String(port), '--count', String(sessions)];
  return startPeer({ name: 'bare C server', command, port });
}
