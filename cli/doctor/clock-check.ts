import { statSync } from 'node:fs';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import type { HeardDates } from './heard-dates.js';

const found = findingsOf('clock');

/** A Pi without a battery starts in 1970, or when it was last switched off. */
const FIRST_YEAR = 2026;
const LAST_YEAR = 2099;
/** A server's clock, and its answer's way here; Pusher allows 10 minutes, a webhook's receiver 5. */
const MOST_OFF_MS = 60_000;
const SET_NTP = 'sudo timedatectl set-ntp true';

/** Whether the clock is kept right, and says what can be. `heard` is asked when what it hears has come. */
export async function checkClock(
  { system, store, running }: Pick<Examination, 'system' | 'store' | 'running'>,
  heard: Pick<HeardDates, 'all'>,
  whenHeard: Promise<unknown>,
): Promise<Finding[]> {
  const now = system.clock.now();
  const subject = `this machine's clock, ${isoOf(now)}`;
  const year = new Date(now).getUTCFullYear();
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR))
    return [
      found('clock-year', subject, `says the year ${year}: nothing that is signed or encrypted will work`, SET_NTP),
    ];
  const saved = lastSaved(store);
  if (saved - now > MOST_OFF_MS) {
    const cause = `is behind what the store was last written at, ${isoOf(saved)}: readings would be put into the past`;
    return [found('clock-behind-store', subject, cause, SET_NTP)];
  }
  const startedAt = running?.startedAt ?? 0;
  if (startedAt - now > MOST_OFF_MS) {
    const cause = `is behind the moment the base was started, ${isoOf(startedAt)}`;
    return [found('clock-behind-store', subject, cause, SET_NTP)];
  }
  const isKept = await isSynchronised(system);
  if (isKept === true) return [found('clock-right', subject, 'is kept right over the network (NTP)')];
  await whenHeard;
  const worst = [...heard.all].sort((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs))[0];
  if (worst !== undefined && Math.abs(worst.aheadMs) > MOST_OFF_MS) {
    const seconds = Math.round(Math.abs(worst.aheadMs) / 1_000);
    const cause = `is ${seconds} s ${worst.aheadMs > 0 ? 'ahead of' : 'behind'} that of ${worst.from}`;
    return [found('clock-off', subject, cause, SET_NTP)];
  }
  const agrees = worst === undefined ? '' : `; it agrees with that of ${worst.from}`;
  if (isKept === false)
    return [found('clock-unsynchronised', subject, `is not kept right over the network (NTP)${agrees}`, SET_NTP)];
  if (worst !== undefined) return [found('clock-right', subject, `agrees with that of ${worst.from}`)];
  const cause = 'cannot be compared: timedatectl tells nothing here, and no server that was asked named the time';
  return [found('clock-unknown', subject, cause)];
}

/** `undefined`: systemd is not there to say it. */
async function isSynchronised(system: Examination['system']): Promise<boolean | undefined> {
  const ran = await system.run('timedatectl', 'show', '-p', 'NTPSynchronized');
  const [, answer] = /^NTPSynchronized=(yes|no)$/m.exec(ran?.exitCode === 0 ? ran.output : '') ?? [];
  return answer === undefined ? undefined : answer === 'yes';
}

/** When the store was last written, by the clock of that time; Unix ms, 0 when it is not there. */
function lastSaved(store: string): number {
  return Math.max(...[store, `${store}-wal`].map(writtenAt));
}

function writtenAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    // Not there, or not for this user to see.
    return 0;
  }
}

function isoOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
