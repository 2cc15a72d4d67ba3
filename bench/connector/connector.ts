import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../base/project-root.js';
import { freePort } from '../../cli/free-port.js';
import { type RunningPeer, startPeer } from '../load/peer.js';

/** More than any load of the bench: here it is not the bounds that are measured. */
const limits = { unproved: 16_384, unprovedPerAddress: 16_384, connectionsPerMinute: 1_000 };

/** The base as its user runs it, with a cloud connector for devices. `nodeOptions` as for Node's own command line. */
export async function startConnector(nodeOptions: readonly string[] = []): Promise<RunningPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
  const port = await freePort();
  const file = join(folder, 'base.json');
  writeFileSync(file, JSON.stringify({ name: 'bench', connector: { websocket: `127.0.0.1:${port}`, limits } }));
  const launcher = join(projectRoot, 'cli', 'baseunit.mjs');
  const command = [process.execPath, ...nodeOptions, launcher, 'run', '-c', file, '--log-level', 'warn'];
  const removed = (): void => rmSync(folder, { recursive: true, force: true });
  return startPeer({ name: 'baseunit', command, port, removed });
}
