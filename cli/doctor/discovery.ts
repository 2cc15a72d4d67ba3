import { statSync } from 'node:fs';
import { join } from 'node:path';
import { networkAddress } from '../../base/core/address.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import { type System, textAt } from './system.js';

const found = findingsOf('discovery');

const AVAHI = 'sudo apt-get install avahi-daemon libavahi-compat-libdnssd-dev';

/** Whether names of the local network (mDNS) can be told and found: Avahi, the package that talks to it, and the resolver. */
export async function checkDiscovery({
  system,
  configuration,
}: Pick<Examination, 'system' | 'configuration'>): Promise<Finding[]> {
  if (system.platform !== 'linux')
    return [found('not-configured', 'Avahi', `is for Linux, not for ${system.platform}`)];
  return [checkAvahi(system.root), await checkPackage(system), ...checkNames(system, configuration)];
}

function checkAvahi(root: string): Finding {
  const pid = Number(textAt(join(root, 'run', 'avahi-daemon', 'pid')));
  if (pid > 0 && isThere(join(root, 'proc', String(pid)))) return found('avahi-runs', 'Avahi', `runs (process ${pid})`);
  const isInstalled = ['usr/sbin', 'usr/bin'].some((folder) => isThere(join(root, folder, 'avahi-daemon')));
  if (!isInstalled)
    return found('avahi-absent', 'Avahi', 'is not installed: it tells the names of this network (mDNS)', AVAHI);
  const cause = 'is installed and does not run: it tells the names of this network (mDNS)';
  return found('avahi-stopped', 'Avahi', cause, 'sudo systemctl enable --now avahi-daemon');
}

async function checkPackage({ problemOfPackage }: Pick<System, 'problemOfPackage'>): Promise<Finding> {
  const problem = await problemOfPackage('mdns');
  const subject = 'the package mdns';
  if (problem === undefined) return found('mdns-package', subject, 'can be loaded');
  const cause = `cannot be used (${problem}): it is compiled where Avahi's headers are; without it a slower one does its work`;
  return found('mdns-package-absent', subject, cause, `${AVAHI} && npm install`);
}

/** Names that end in `.local` need the resolver to ask by mDNS. */
function checkNames({ root }: Pick<System, 'root'>, configuration: Examination['configuration']): Finding[] {
  const names = (configuration?.units?.known ?? []).flatMap(({ uid, address }) =>
    /\.local\.?$/i.test(networkAddress(address)?.host ?? '') ? [uid] : [],
  );
  const [, sources = ''] = /^hosts:(.*)$/m.exec(textAt(join(root, 'etc', 'nsswitch.conf')) ?? '') ?? [];
  if (names.length === 0 || /mdns|resolve/.test(sources)) return [];
  const rest = names.length > 1 ? ` and ${names.length - 1} more` : '';
  const cause = `cannot be found: /etc/nsswitch.conf does not ask by mDNS for names that end in .local`;
  return [
    found('local-names-unresolved', `the address of ${names[0]}${rest}`, cause, 'sudo apt-get install libnss-mdns'),
  ];
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
