import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { serialPortsOf } from '../../base/links/serial/port-watch.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import { shellWord } from './shell-word.js';
import { type System, textAt } from './system.js';

const found = findingsOf('serial');

/** Boards at a USB port. */
const deviceNames = /^tty(USB|ACM)\d+$/;
/** Debian's group for serial ports, and that of others. */
const usualGroups = ['dialout', 'uucp'];

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Whether boards at USB ports can be flashed by this user, and whether those are there that the configuration names. */
export function checkSerial(
  system: Pick<System, 'root' | 'platform' | 'user' | 'mayUse'>,
  configuration?: Examination['configuration'],
): Finding[] {
  const { root, platform, user } = system;
  if (platform !== 'linux')
    return [found('serial-absent', 'serial ports', `are looked at on Linux only, not on ${platform}`)];
  const groups = groupsIn(root);
  const devices = namesIn(join(root, 'dev'))
    .filter((name) => deviceNames.test(name))
    .sort();
  const unplugged = unpluggedPorts(root, devices, configuration);
  if (devices.length === 0) return [withoutDevice(groups, user), ...unplugged];
  const usable = devices.map((name) => {
    const path = join(root, 'dev', name);
    const subject = `/dev/${name}`;
    if (system.mayUse(path, 'both')) return found('serial-usable', subject, `${user.name} may read and write it`);
    const { gid } = statSync(path);
    const group = groups.find((each) => each.gid === gid) ?? { name: String(gid), gid, members: [] };
    if (isLoginOld(group, user)) {
      const cause = `${user.name} is in group ${group.name}, but not since this login: log out and in again, or start the machine anew`;
      return found('serial-login-old', subject, cause, `newgrp ${shellWord(group.name)}`);
    }
    // Root's own group would give far more than a port.
    const given = gid === 0 ? 'dialout' : group.name;
    const cause = `${user.name} may not use it, since it belongs to group ${group.name}: join ${given}, then log out and in again`;
    return found('serial-forbidden', subject, cause, joining(given, user));
  });
  return [...usable, ...unplugged];
}

/** Ports that units are configured at, and that are not there. */
function unpluggedPorts(
  root: string,
  devices: readonly string[],
  configuration: Examination['configuration'],
): Finding[] {
  const there = devices.length === 0 ? 'no board is plugged in' : `there are /dev/${devices.join(', /dev/')}`;
  return [...serialPortsOf(configuration?.units?.known ?? [])].flatMap(([uid, { serial }]) => {
    if (statSync(join(root, serial), { throwIfNoEntry: false }) !== undefined) return [];
    const cause = `is not there (${there}): plug the board in, or correct units.known.${uid}.address`;
    return [found('serial-unplugged', `the port of ${uid}, ${serial}`, cause, 'npx baseunit units --serial')];
  });
}

function withoutDevice(groups: readonly Group[], user: System['user']): Finding {
  const none = 'no board is plugged in (no /dev/ttyUSB* and no /dev/ttyACM*)';
  const group = groups.find(({ name }) => usualGroups.includes(name));
  const isFree = user.uid === 0 || group === undefined || user.groups.includes(group.gid) || isLoginOld(group, user);
  if (isFree) return found('serial-absent', 'serial ports', none);
  const cause = `${none}; one that is could not be flashed: ${user.name} is not in group ${group.name}. Join it, then log out and in again`;
  return found('serial-group', 'serial ports', cause, joining(group.name, user));
}

const joining = (group: string, { name }: System['user']): string =>
  `sudo usermod -aG ${shellWord(group)} ${name === '$USER' ? name : shellWord(name)}`;

/** It was added to the group after it had logged in. */
const isLoginOld = ({ gid, members }: Group, user: System['user']): boolean =>
  members.includes(user.name) && !user.groups.includes(gid);

/** `group(5)`: name, password, number, members. */
function groupsIn(root: string): Group[] {
  return (textAt(join(root, 'etc', 'group')) ?? '').split('\n').flatMap((line) => {
    const [name = '', , gid = '', members = ''] = line.split(':');
    return /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(',') }] : [];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
