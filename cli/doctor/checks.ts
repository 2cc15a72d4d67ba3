import { checkBase } from './base-check.js';
import { checkCertificates } from './certificate-check.js';
import { checkClock } from './clock-check.js';
import { checkConfigurationFile } from './configuration-check.js';
import { checkDiscovery } from './discovery.js';
import type { Examination } from './examination.js';
import { checkFiles } from './file-check.js';
import { type CheckName, type Finding, findingsOf } from './finding.js';
import { HeardDates } from './heard-dates.js';
import { checkNode } from './node-version.js';
import { checkPlatformio } from './platformio-check.js';
import { checkPorts } from './ports.js';
import { checkPusher } from './pusher-check.js';
import { checkSerial } from './serial.js';
import { checkService } from './service-check.js';
import { checkStore } from './store-check.js';
import { checkWebhooks } from './webhook-check.js';

/** A check under way. `findings` never rejects. */
export interface RunningCheck {
  readonly check: CheckName;
  readonly findings: Promise<readonly Finding[]>;
}

/** Begins all checks at the same time; they are in the order in which a person reads them. */
export function beginChecks(examination: Examination): RunningCheck[] {
  const { system } = examination;
  const heard = new HeardDates(system.clock);
  const begin = (check: CheckName, look: () => readonly Finding[] | Promise<readonly Finding[]>): RunningCheck => ({
    check,
    findings: Promise.resolve()
      .then(look)
      .catch((error: Error) => [failed(check, error)]),
  });
  const pusher = begin('pusher', () => checkPusher(examination, heard));
  const webhooks = begin('webhooks', () => checkWebhooks(examination, heard));
  const whenHeard = Promise.all([pusher.findings, webhooks.findings]);
  return [
    begin('node', () => checkNode(system)),
    begin('configuration', () => checkConfigurationFile(examination)),
    begin('base', () => checkBase(examination)),
    begin('ports', () => checkPorts(examination)),
    begin('files', () => checkFiles(examination)),
    begin('certificates', () => checkCertificates(examination)),
    begin('store', () => checkStore(examination)),
    begin('clock', () => checkClock(examination, heard, whenHeard)),
    pusher,
    webhooks,
    begin('serial', () => checkSerial(system, examination.configuration)),
    begin('platformio', () => checkPlatformio(system)),
    begin('discovery', () => checkDiscovery(examination)),
    begin('service', () => checkService(examination)),
  ];
}

/** Our own fault: the other checks go on. */
function failed(check: CheckName, error: Error): Finding {
  return findingsOf(check)('check-failed', `the check ${check}`, `could not be done: ${error.message}`);
}
