import { startNodePeer } from '../load/node-peer.js';
import type { RunningPeer } from '../load/peer.js';

/** Programs of ours beside this file, in what is compiled. */
const programs = {
  'plain Node relay': new URL('./plain-relay.js', import.meta.url),
  'bare Node server': new URL('./bare-server.js', import.meta.url),
  'bare Node sink': new URL('./bare-sink.js', import.meta.url),
} as const;

/** `nodeOptions` as for Node's own command line. */
export const startOwnPeer = (name: keyof typeof programs, nodeOptions: readonly string[] = []): Promise<RunningPeer> =>
  startNodePeer(name, programs[name], nodeOptions);
