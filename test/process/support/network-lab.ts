import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the package `mdns` is without, where Avahi's headers were missing when it was installed. */
const MDNS_LIBRARY = join('node_modules', 'mdns', 'build', 'Release', 'dns_sd_bindings.node');
const PROGRAMS = ['ip', 'unshare', 'nsenter', 'setpriv', 'dbus-daemon', 'avahi-daemon', 'avahi-publish'];
const DEADLINE_MS = 15_000;

/** Why no network of our own can be made here; `undefined`: it can. */
export function whyNoLab(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to make network namespaces';
  const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  if (!existsSync(MDNS_LIBRARY))
    return 'needs the package mdns, compiled: libavahi-compat-libdnssd-dev, then npm install';
  const tried = spawnSync('unshare', ['--net', '--mount', '--uts', 'true'], { stdio: 'ignore' });
  return tried.status === 0 ? undefined : 'needs the right to make network namespaces';
}

/** Ends with this process, whichever way that ends. */
const tied = ['setpriv', '--pdeathsig', 'KILL'] as const;

/**
 * Machines on a switch, each a network namespace with its own `/run` and host name: multicast in it is real, and reaches
 * nobody else. The namespaces have no names, so nothing is left when their processes are gone.
 */
export class NetworkLab {
  readonly #folder = mkdtempSync(join(tmpdir(), 'baseunit-lab-'));
  readonly #children: ChildProcess[] = [];
  readonly #hosts: LabHost[] = [];
  #switchPid = 0;

  static async start(): Promise<NetworkLab> {
    const lab = new NetworkLab();
    writeFileSync(join(lab.#folder, 'dbus.conf'), dbusConfiguration);
    writeFileSync(join(lab.#folder, 'avahi.conf'), avahiConfiguration);
    lab.#switchPid = await lab.#namespace('switch');
    lab.#ip(lab.#switchPid, 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    lab.#ip(lab.#switchPid, 'link', 'set', 'br0', 'up');
    return lab;
  }

  /** A machine more, at 10.77.0.`n`. */
  async host(name: string): Promise<LabHost> {
    const pid = await this.#namespace(name);
    const number = this.#hosts.length + 1;
    const address = `10.77.0.${number}`;
    this.#ip(
      pid,
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      `p${number}`,
      'netns',
      String(this.#switchPid),
    );
    this.#ip(this.#switchPid, 'link', 'set', `p${number}`, 'master', 'br0', 'up');
    this.#ip(pid, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    this.#ip(pid, 'link', 'set', 'eth0', 'up');
    this.#ip(pid, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0');
    const host = new LabHost(this, name, address, pid, this.#folder);
    this.#hosts.push(host);
    return host;
  }

  /** Starts a program that is killed with the lab. */
  spawn(words: readonly string[]): ChildProcess {
    const [program, ...rest] = words;
    const child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#children.push(child);
    return child;
  }

  /** Kills whatever runs in it. What it was made of goes with that. */
  async close(): Promise<void> {
    const ended = this.#children.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) return resolve();
          child.once('exit', () => resolve());
          child.kill('SIGKILL');
        }),
    );
    await Promise.all(ended);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Its process holds the namespaces; gives its pid. */
  async #namespace(name: string): Promise<number> {
    const make = [
      'mount --make-rprivate /',
      'mount -t tmpfs tmpfs /run',
      'mkdir -p /run/dbus /run/avahi-daemon',
      `hostname ${name}`,
      'ip link set lo up',
      'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6',
      'echo ready',
      'exec sleep infinity',
    ].join(' && ');
    const child = this.spawn([...tied, 'unshare', '--net', '--mount', '--uts', 'sh', '-c', make]);
    await printed(child, 'stdout', /ready/);
    return child.pid!;
  }

  #ip(pid: number, ...words: string[]): void {
    execFileSync('nsenter', ['-t', String(pid), '-n', 'ip', ...words]);
  }
}

/** One machine of a {@link NetworkLab}. */
export class LabHost {
  readonly name: string;
  readonly address: string;
  readonly #lab: NetworkLab;
  readonly #pid: number;
  readonly #folder: string;
  #avahi: ChildProcess | undefined;

  constructor(lab: NetworkLab, name: string, address: string, pid: number, folder: string) {
    this.#lab = lab;
    this.name = name;
    this.address = address;
    this.#pid = pid;
    this.#folder = folder;
  }

  /** What runs a program on this machine, with its words behind it. */
  get under(): readonly string[] {
    return [...tied, 'nsenter', '-t', String(this.#pid), '-m', '-n', '-u', '--wd=.'];
  }

  spawn(words: readonly string[]): ChildProcess {
    return this.#lab.spawn([...this.under, ...words]);
  }

  /** Starts the machine's message bus and its Avahi daemon. */
  async startAvahi(): Promise<void> {
    if (!existsSync(`/proc/${this.#pid}/root/run/dbus/system_bus_socket`)) {
      const bus = this.spawn([
        'dbus-daemon',
        `--config-file=${this.#folder}/dbus.conf`,
        '--nofork',
        '--print-address=1',
      ]);
      await printed(bus, 'stdout', /unix:/);
    }
    const words = ['-f', `${this.#folder}/avahi.conf`, '--no-chroot', '--no-drop-root', '--no-rlimits'];
    this.#avahi = this.spawn(['avahi-daemon', ...words]);
    await printed(this.#avahi, 'stderr', /startup complete/);
  }

  /** Gives the machine another address, as a router does that was restarted. */
  async readdress(address: string): Promise<void> {
    const steps = [
      'ip address flush dev eth0',
      `ip address add ${address}/24 dev eth0`,
      'ip route replace 224.0.0.0/4 dev eth0',
      'echo done',
    ];
    await printed(this.spawn(['sh', '-c', steps.join(' && ')]), 'stdout', /done/);
  }

  /** As a crash does. */
  killAvahi(): Promise<void> {
    return killed(this.#avahi!);
  }

  /** The daemon is there, and does nothing any more; until it is told to go on. */
  signalAvahi(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#avahi!.kill(signal);
  }

  /** Announces a service by this machine's Avahi. Resolves when it is there; kill it to have it say goodbye. */
  async publish(name: string, type: string, port: number, txt: readonly string[]): Promise<ChildProcess> {
    const child = this.spawn(['avahi-publish', '-s', name, type, String(port), ...txt]);
    await printed(child, 'stderr', /Established under name/);
    return child;
  }
}

/** Ends a program; resolves when it has ended. */
export function killed(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill(signal);
  });
}

/** Resolves when a program has printed that. */
export function printed(child: ChildProcess, where: 'stdout' | 'stderr', pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const settle = (act: () => void): void => {
      clearTimeout(late);
      child[where]!.off('data', look);
      child.off('exit', gone);
      // What it prints from now on is nobody's, but must not fill the pipe.
      child[where]!.resume();
      act();
    };
    const fail = (why: string): void => settle(() => reject(new Error(`${child.spawnargs.join(' ')} ${why}: ${text}`)));
    const look = (chunk: Buffer): void => {
      text += chunk.toString();
      if (pattern.test(text)) settle(resolve);
    };
    const gone = (): void => fail('ended');
    const late = setTimeout(() => fail(`did not print ${pattern}`), DEADLINE_MS);
    child[where]!.on('data', look);
    child.once('exit', gone);
  });
}

const dbusConfiguration = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
`;

const avahiConfiguration = `[server]
use-ipv4=yes
use-ipv6=no
allow-interfaces=eth0
[publish]
publish-workstation=no
publish-hinfo=no
[wide-area]
enable-wide-area=no
`;
