import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { basename, join } from 'node:path';
import { canonicalHost, listenersCollide } from '../../base/config/address.js';
import { harmless } from '../terminal.js';
import type { Listener } from './listener.js';
import { textAt } from './system.js';

/** A process, as the system tells of it. */
export interface Process {
  readonly pid: number;
  /** Its program, and the script it runs; no other words of its command line, which may hold secrets. */
  readonly command: string;
  /** It is this program. */
  readonly isBaseunit: boolean;
  /** The unit of systemd that it belongs to: `nginx.service`. */
  readonly service: string | undefined;
}

/** Programs whose first word is what they really run. */
const interpreters = /^(node|nodejs|python[\d.]*|perl|ruby|java|sh|bash)$/;
/** Of a name of a program that is shown. */
const MAX_COMMAND = 80;
const LISTENING = '0A';

/** `root` is `/`; so below. `undefined`: there is no such process. */
export function processAt(root: string, pid: number): Process | undefined {
  const folder = join(root, 'proc', String(pid));
  const name = textAt(join(folder, 'comm'))?.trim();
  if (name === undefined) return undefined;
  const [program = '', script = ''] = (textAt(join(folder, 'cmdline')) ?? '').split('\0');
  const shown = program === '' ? name : basename(program);
  const command = interpreters.test(shown) && !script.startsWith('-') ? `${shown} ${script}`.trim() : shown;
  const [, service] = /\/system\.slice\/(?:.*\/)?([^/\n]+\.service)/.exec(textAt(join(folder, 'cgroup')) ?? '') ?? [];
  return {
    pid,
    command: harmless(command.slice(0, MAX_COMMAND)),
    isBaseunit: /\bbaseunit(\.mjs)?$/.test(script),
    service,
  };
}

/** `node /home/pi/server.js (process 4711)`. */
export function processText({ pid, command, service }: Process): string {
  return `${command} (process ${pid}${service === undefined ? '' : `, ${service}`})`;
}

/** The process that each of these ports is taken by, by the listener's path, as far as this user may see it. */
export function holdersOfPorts(root: string, listeners: readonly Listener[]): ReadonlyMap<string, Process> {
  const pathsOf = new Map<string, string[]>();
  for (const listener of listeners)
    for (const inode of socketsAt(root, listener)) pathsOf.set(inode, [...(pathsOf.get(inode) ?? []), listener.path]);
  const holders = new Map<string, Process>();
  if (pathsOf.size === 0) return holders;
  for (const pid of processes(root)) {
    for (const target of openFiles(root, pid)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(target) ?? [];
      const paths = inode === undefined ? undefined : pathsOf.get(inode);
      const holder = paths && processAt(root, pid);
      if (paths && holder) for (const path of paths) if (!holders.has(path)) holders.set(path, holder);
    }
  }
  return holders;
}

/** The process that has a lock on that file, as a base has on its store. */
export function holderOfLock(root: string, file: string): Process | undefined {
  const { dev, ino } = statSync(file);
  for (const line of (textAt(join(root, 'proc', 'locks')) ?? '').split('\n')) {
    const match = /(?:POSIX|OFDLCK)\s+\S+\s+\S+\s+(\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/.exec(line);
    if (match === null || Number(match[4]) !== ino) continue;
    const pid = Number(match[1]);
    const isSameDevice =
      Number.parseInt(match[2]!, 16) === majorOf(dev) && Number.parseInt(match[3]!, 16) === minorOf(dev);
    // Some file systems give their files other numbers than their locks.
    if (isSameDevice || openFiles(root, pid).includes(realpathSync(file))) return processAt(root, pid);
  }
  return undefined;
}

/** `makedev(3)`. */
const majorOf = (device: number): number => Math.floor(device / 256) % 4096;
const minorOf = (device: number): number => (device % 256) + Math.floor(device / 2 ** 20) * 256;

/** The sockets that are in the way of a listener: the numbers of their inodes. */
function socketsAt(root: string, { transport, address }: Listener): string[] {
  return [transport, `${transport}6`].flatMap((table) =>
    (textAt(join(root, 'proc', 'net', table)) ?? '')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => {
        const [host = '', port = ''] = local.split(':');
        if (Number.parseInt(port, 16) !== address.port || (transport === 'tcp' && state !== LISTENING)) return false;
        const taken = { host: hostOfHex(host), port: address.port };
        return isIP(address.host) === 0 || listenersCollide(address, taken);
      })
      .map((fields) => fields[9]!),
  );
}

/** As the kernel writes addresses: each 32 bits in the machine's order, which is little-endian on every Pi and PC. */
function hostOfHex(hex: string): string {
  const octets = Buffer.from(hex, 'hex');
  octets.swap32();
  if (octets.length === 4) return octets.join('.');
  return canonicalHost(octets.toString('hex').replace(/(.{4})(?=.)/g, '$1:'));
}

function processes(root: string): number[] {
  return namesIn(join(root, 'proc'))
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** What the process has open; nothing of other users' processes. */
function openFiles(root: string, pid: number): string[] {
  const folder = join(root, 'proc', String(pid), 'fd');
  return namesIn(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return [];
    }
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
