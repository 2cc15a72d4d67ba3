import { expect, test } from 'vitest';
import { SystemdNotify } from '../../base/systemd-notify.js';
import { QuietLog } from '../support/quiet-log.js';

const PATH = '/nowhere';
const NOTIFY_SOCKET = '/nowhere/notify';

function notifier(environment: Record<string, string>) {
  const log = new QuietLog();
  return { log, systemd: new SystemdNotify({ environment: { PATH, ...environment }, pid: 7, log }) };
}

test('without a socket nobody is told anything, and there is no watchdog', async () => {
  const { systemd, log } = notifier({ WATCHDOG_USEC: '30000000' });
  expect(systemd.watchdogMs).toBeUndefined();
  await systemd.tell('READY=1');
  expect(log.lines).toEqual([]);
});

test.each([
  [{ WATCHDOG_USEC: '30000000' }, 30_000],
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
  // It is for the process that started this one.
  [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: 'soon' }, undefined],
  [{}, undefined],
])('the watchdog of %j wants to hear every %s ms', (environment, ms) => {
  expect(notifier({ NOTIFY_SOCKET, ...environment }).systemd.watchdogMs).toBe(ms);
});

test('where the program is not there, that is said once', async () => {
  const { systemd, log } = notifier({ NOTIFY_SOCKET });
  await systemd.tell('READY=1', 'STATUS=well');
  await systemd.tell('WATCHDOG=1');
  expect(log.lines).toMatchObject([{ level: 'error', fields: { why: expect.stringContaining('package systemd') } }]);
});
