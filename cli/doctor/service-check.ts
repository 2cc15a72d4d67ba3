import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';

const found = findingsOf('service');

/** Whether the service is installed, starts with the machine, and runs. */
export async function checkService({ system, service }: Pick<Examination, 'system' | 'service'>): Promise<Finding[]> {
  const { root, run } = system;
  const name = service?.name ?? 'baseunit.service';
  const short = name.replace(/\.service$/, '');
  // `sd_booted(3)`. In most containers it is not there.
  if (!existsSync(join(root, 'run', 'systemd', 'system')))
    return [found('service-no-systemd', name, 'is not looked at: systemd does not run this machine')];
  if (service === undefined)
    return [found('service-absent', name, 'is not installed; baseunit service install makes it')];
  const [enabled, active] = await Promise.all([
    run('systemctl', 'is-enabled', name),
    run('systemctl', 'is-active', name),
  ]);
  if (enabled === undefined || active === undefined)
    return [found('service-no-systemd', name, 'is not looked at: systemctl does not answer')];
  const state = active.output.trim();
  const findings: Finding[] = [];
  if (state === 'failed') {
    const cause = 'has failed, and is not started again: its log says why';
    findings.push(found('service-failed', name, cause, `journalctl -u ${short} -n 50`));
  } else if (state !== 'active' && state !== 'activating') {
    const cause = `is installed and does not run (${state})`;
    findings.push(found('service-stopped', name, cause, `sudo systemctl start ${short}`));
  }
  if (enabled.output.trim() !== 'enabled')
    findings.push(found('service-disabled', name, 'does not start with the machine', `sudo systemctl enable ${short}`));
  return findings.length > 0 ? findings : [found('service-active', name, 'runs, and starts with the machine')];
}
