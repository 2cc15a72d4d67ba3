import { addressText } from '../../base/core/address.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import { type Listener, listenersOf } from './listener.js';
import { holderOfLock, holdersOfPorts, type Process, processText } from './processes.js';

const found = findingsOf('ports');

type Looked = Pick<Examination, 'system' | 'configuration' | 'running' | 'store'>;

/** Whether every listener of the configuration can be opened; else who has its port, or why it cannot. */
export async function checkPorts(examination: Looked): Promise<Finding[]> {
  const { system, configuration } = examination;
  if (configuration === undefined)
    return [found('needs-configuration', 'the ports', 'which they are, the configuration would say')];
  const listeners = listenersOf(configuration);
  if (listeners.length === 0) return [found('not-configured', 'the ports', 'the configuration has no listener')];
  const faults = await Promise.all(listeners.map((listener) => faultOf(system.listen(listener))));
  const taken = listeners.filter((_, index) => faults[index]?.code === 'EADDRINUSE');
  const holders = taken.length === 0 ? new Map<string, Process>() : holdersOfPorts(system.root, taken);
  const own = taken.length === 0 ? undefined : pidOfBase(examination);
  return listeners.map((listener, index) => judge(listener, faults[index], holders.get(listener.path), own));
}

type Fault = Error & { readonly code?: string };

const faultOf = (listening: Promise<void>): Promise<Fault | undefined> =>
  listening.then(
    () => undefined,
    (error: Fault) => error,
  );

/** A base without an API is known by the lock on its store. */
function pidOfBase({ system, running, store }: Looked): number | undefined {
  if (running !== undefined) return running.pid;
  try {
    const holder = holderOfLock(system.root, store);
    return holder?.isBaseunit === true ? holder.pid : undefined;
  } catch {
    // There is no store yet.
    return undefined;
  }
}

function judge(
  { path, transport, address }: Listener,
  fault: Fault | undefined,
  holder: Process | undefined,
  own: number | undefined,
): Finding {
  const subject = `${path} ${transport === 'udp' ? 'UDP ' : ''}${addressText(address)}`;
  const { host, port } = address;
  if (fault === undefined && port === 0) return found('port-any', subject, 'the system chooses a free one');
  if (fault === undefined) return found('port-free', subject, 'is free');
  const otherPort = `configure another port for ${path}`;
  switch (fault.code) {
    case 'EADDRINUSE': {
      if (own !== undefined && (holder === undefined || holder.pid === own))
        return found('port-of-base', subject, `is used by the running base (process ${own})`);
      if (holder !== undefined)
        return found(
          'port-taken',
          subject,
          `is taken by ${processText(holder)}: end it, or ${otherPort}`,
          endOf(holder),
        );
      const cause = `is taken by a process that is not yours to see: find it and end it, or ${otherPort}`;
      return found('port-taken', subject, cause, `sudo ss -lnp${transport === 'udp' ? 'u' : 't'} 'sport = :${port}'`);
    }
    case 'EACCES': {
      const cause = `a port below 1024 needs a right that this user does not have: ${otherPort}, or give it to every user from that port on`;
      return found('port-forbidden', subject, cause, `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}`);
    }
    case 'EADDRNOTAVAIL': {
      const cause = `${host} is no address of this machine: write one that it has into ${path}, or 0.0.0.0 for all of them`;
      return found('port-address-foreign', subject, cause, 'ip -brief address');
    }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return found('port-host-unknown', subject, `${host} has no address: write one into ${path}`, 'ip -brief address');
    default:
      return found(
        'port-refused',
        subject,
        `cannot be listened at: ${fault.message}; ${otherPort}`,
        'ip -brief address',
      );
  }
}

const endOf = ({ pid, service }: Process): string =>
  service === undefined ? `kill ${pid}` : `sudo systemctl stop ${service}`;
