/** The first line of a unit that this program wrote: it replaces and removes no other. */
export const UNIT_MARK = '# Written by `baseunit service`.';

/** Where the state of services is; `/var/lib/private` behind it, since the service's user is made anew each time. */
const STATE = '/var/lib';
/** systemd waits so long at least, and so much longer than the base, which ends by itself (reference/limits.md). */
const LEAST_STOP_S = 10;
const SPARE_STOP_S = 2;
/** Hidden from the service, but for what it is to read. */
const hiddenFolders = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

export interface ServiceUnitOptions {
  /** Of the service: `baseunit`. */
  readonly name: string;
  /** Of the base, for people. */
  readonly description: string;
  /** Absolute paths: of Node, of the project, of the configuration. */
  readonly node: string;
  readonly project: string;
  readonly config: string;
  /** Folders beside those that the service reads: of Node, of handlers. Absolute. */
  readonly folders: readonly string[];
  /** Files that only their owner may read, by the name under which the service finds its copy. */
  readonly credentials: ReadonlyMap<string, string>;
  readonly shutdownMs: number;
  /** Units are at serial ports. */
  readonly hasSerialPorts: boolean;
}

/** Where the service keeps what outlives it: the store, the API's token. */
export const serviceState = (name: string): string => `${STATE}/${name}`;

/** Where secrets can be put that the configuration names as `env:NAME`. */
export const serviceEnvironment = (name: string): string => `/etc/${name}.env`;

const NO_DEVICES = `# Serial ports are hidden as well: no unit is at one.
PrivateDevices=yes
PrivateUsers=yes
`;

/** By the names of drivers, since a port that is plugged in later is not there at the start. */
const SERIAL_PORTS = `# Of devices it has serial ports alone, which belong to a group.
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyAMA rw
DeviceAllow=char-ttyS rw
SupplementaryGroups=dialout
`;

/** What of these would be hidden, and is to be shown to the service; no folder that is in another one of them. */
export function shownFolders(folders: readonly string[]): readonly string[] {
  const hidden = [...new Set(folders)].filter((folder) => hiddenFolders.some((home) => isIn(folder, home)));
  return hidden.filter((folder) => !hidden.some((other) => other !== folder && isIn(folder, other))).sort();
}

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/**
 * A unit of systemd that gives the base what it needs and nothing else (reference/limits.md, systemd). Paths must have no
 * blanks and nothing that means something to systemd.
 */
export function serviceUnit(options: ServiceUnitOptions): string {
  const { name, description, node, project, config, folders, credentials, shutdownMs, hasSerialPorts } = options;
  const shown = shownFolders([project, ...folders]);
  const stopS = Math.max(LEAST_STOP_S, Math.ceil(shutdownMs / 1_000) + SPARE_STOP_S);
  const lines = (name: string, values: Iterable<string>): string =>
    [...values].map((value) => `${name}=${value}\n`).join('');
  return `${UNIT_MARK} Changes here are lost when it writes it again; put yours into
# ${name}.service.d/own.conf (systemctl edit ${name}).
[Unit]
Description=${description}
Wants=network-online.target
After=network-online.target
# One that ends again and again is left alone.
StartLimitIntervalSec=5min
StartLimitBurst=10

[Service]
Type=notify
# The notices come through the program systemd-notify: Node has no datagram sockets of the Unix kind.
NotifyAccess=all
ExecStart=${node} ${project}/cli/baseunit.mjs run -c ${config}
# Secrets that the configuration names as env:NAME.
EnvironmentFile=-${serviceEnvironment(name)}
Restart=always
RestartSec=1
# A large store is checked at the start.
TimeoutStartSec=5min
TimeoutStopSec=${stopS}
# Fed by a check that goes through the base.
WatchdogSec=30

# A user of its own that exists while it runs. It cannot read what only its owner may: systemd gives it copies at each start.
DynamicUser=yes
StateDirectory=${name}
StateDirectoryMode=0700
WorkingDirectory=%S/${name}
UMask=0077
${lines(
  'LoadCredential',
  Array.from(credentials, ([credential, path]) => `${credential}:${path}`),
)}
# It sees the system without being able to write, and of homes only what it is to read.
ProtectSystem=strict
ProtectHome=tmpfs
${lines('BindReadOnlyPaths', shown)}PrivateTmp=yes
${hasSerialPorts ? SERIAL_PORTS : NO_DEVICES}PrivateMounts=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes

CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
# Netlink: the addresses of this machine.
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: Node compiles JavaScript while it runs.

MemoryMax=512M
TasksMax=64
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}
