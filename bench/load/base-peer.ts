import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../base/project-root.js';
import { type RunningPeer, startPeer } from './peer.js';

export interface BasePeer {
  /** As in `base.json`. */
  readonly configuration: object;
  /** Other files beside it, by their names. */
  readonly files?: Readonly<Record<string, string>>;
  /** Where the load goes. */
  readonly port: number;
  readonly udpPort?: number;
  /** As for Node's own command line. */
  readonly nodeOptions?: readonly string[] | undefined;
}

/** The base as its user runs it: a process of its own, in a folder that goes with it. */
export function startBasePeer({ configuration, files, port, udpPort, nodeOptions }: BasePeer): Promise<RunningPeer> {
  const folder = mkdtempSync(join(tmpdir(), 'baseunit-bench-'));
  for (const [name, text] of Object.entries({ ...files, 'base.json': JSON.stringify(configuration) }))
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const launcher = join(projectRoot, 'cli', 'baseunit.mjs');
  const words = ['run', '-c', join(folder, 'base.json'), '--log-level', 'warn'];
  const command = [process.execPath, ...(nodeOptions ?? []), launcher, ...words];
  const removed = (): void => rmSync(folder, { recursive: true, force: true });
  return startPeer({ name: 'baseunit', command, port, ...(udpPort === undefined ? {} : { udpPort }), removed });
}
