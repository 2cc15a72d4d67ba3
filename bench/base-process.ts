import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { readApiToken } from '../base/config/api-token.js';
import { findRunning } from '../base/config/running-file.js';
import { projectRoot } from '../base/project-root.js';

/** A base as its user runs it: a process of its own. */
export interface BaseUnderTest {
  /** State of a unit, by the HTTP API; `undefined` while that does not answer. */
  state(unit: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

export function runBase(configFile: string): BaseUnderTest {
  const launcher = join(projectRoot, 'cli', 'baseunit.mjs');
  const child = spawn(process.execPath, [launcher, 'run', '-c', configFile, '--log-level', 'warn'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const folder = join(dirname(configFile), '.baseunit');
  return {
    async state(unit) {
      const running = findRunning(folder);
      if (running === undefined) return undefined;
      const headers = { authorization: `Bearer ${readApiToken(folder)}` };
      const response = await fetch(`${running.url}/api/v1/units/${unit}`, { headers });
      return response.ok ? ((await response.json()) as { readonly state: string }).state : undefined;
    },
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}
