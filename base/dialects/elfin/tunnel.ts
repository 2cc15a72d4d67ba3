import type { Device } from './device.js';
import type { ElfinSession } from './elfin-session.js';

/** One end of a tunnel, and what it has sent into it. */
export interface TunnelEnd {
  readonly session: ElfinSession;
  /** `undefined`: it is no device, but the connection that asked for the tunnel. */
  readonly device: Device | undefined;
  octets: number;
  messages: number;
}

/** Two connections of one user: what one sends goes to the other (wire/elfin.md). */
export interface Tunnel {
  readonly user: string;
  readonly first: TunnelEnd;
  readonly second: TunnelEnd;
  /** Unix ms. */
  readonly openedAt: number;
  /** Of two of one connection the older one gets its data. */
  readonly ordinal: number;
  isOpen: boolean;
}

/** Who is at the other end of that one. */
export const otherEnd = ({ first, second }: Tunnel, own: TunnelEnd): TunnelEnd => (own === first ? second : first);

/** What is said of a device that is in tunnels: `in a tunnel with F0:FE:6B:01:02:03`; `undefined`: it is in none. */
export function tunnelsText(device: Device): string | undefined {
  const { session } = device;
  const others: string[] = [];
  for (const tunnel of [session?.asFirst, session?.asSecond]) {
    if (tunnel === undefined) continue;
    for (const own of [tunnel.first, tunnel.second])
      if (own.device === device && own.session === session) others.push(nameOf(otherEnd(tunnel, own)));
  }
  if (others.length === 0) return undefined;
  return `in ${others.length === 1 ? 'a tunnel' : 'tunnels'} with ${others.join(' and ')}`;
}

const nameOf = ({ device, session }: TunnelEnd): string => device?.uid ?? session.carrier.remote;
