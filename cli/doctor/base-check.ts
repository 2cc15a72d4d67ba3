import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import { processAt } from './processes.js';

const found = findingsOf('base');

/** Whether a base runs with this configuration, and answers. */
export function checkBase({ running, silent, stateFolder, system }: Examination): Finding[] {
  if (running !== undefined) {
    const { pid, url, startedAt } = running;
    const subject = url === undefined ? 'the base' : `the base at ${url}`;
    const since = startedAt === undefined ? '' : ` since ${new Date(startedAt).toISOString()}`;
    return [found('base-runs', subject, `runs${since} (process ${pid})`)];
  }
  if (silent !== undefined) {
    const service = processAt(system.root, silent.pid)?.service;
    const cause = `is there (process ${silent.pid}) and does not answer: it hangs, or is starting`;
    const mend = service === undefined ? `kill ${silent.pid}` : `sudo systemctl restart ${service}`;
    return [found('base-silent', `the base at ${silent.url}`, cause, mend)];
  }
  return [found('base-stopped', 'the base', `does not run (none says so in ${stateFolder})`)];
}
