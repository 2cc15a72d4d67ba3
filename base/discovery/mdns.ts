import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';

/** Our services: what stands between an instance's name and `.local`. */
export const UNIT_SERVICE = '_baseunit._tcp';
export const BASE_SERVICE = '_baseunit-base._tcp';

/** Services of one type that are kept; past it the oldest go. A house has dozens, a hostile network as many as it likes. */
export const MAX_SERVICES = 1_024;
/** Of one service; past it the rest is not looked at. */
export const MAX_ADDRESSES = 8;

/** One service as it is announced at this moment. Nothing of it is proved. */
export interface Announced {
  /** Name of the instance, as its device chose it. */
  readonly name: string;
  /** Its device, as `lamp.local`, without a dot at the end. */
  readonly host: string;
  /** Of that device: numeric, at least 1, at most 8. IPv6 link-local ones with their interface. */
  readonly addresses: readonly string[];
  /** 1 to 65 535. */
  readonly port: number;
  /** `undefined`: what there is is no TXT record as RFC 6763 has it. */
  readonly txt: ReadonlyMap<string, string> | undefined;
}

export type MdnsEvent =
  /** It is there, or is announced otherwise than before. */
  | { readonly kind: 'up'; readonly service: Announced }
  /** It said goodbye, or was not heard of any more. */
  | { readonly kind: 'down'; readonly name: string };

export interface Advertised {
  /** `_baseunit-base._tcp`. */
  readonly type: string;
  /** Of the instance: at most 63 octets. */
  readonly name: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

/**
 * DNS-SD over multicast DNS (RFC 6762, RFC 6763), by whichever library there is. What goes wrong underneath is its own to
 * mend: it says so in the log, once each kind, and tries again.
 */
export interface Mdns {
  readonly library: 'mdns' | 'bonjour-service';
  /** Calls for every service of that type. Gives what ends it. */
  browse(type: string, hear: (event: MdnsEvent) => void): () => void;
  /** Announces a service of this machine until it is closed. */
  advertise(service: Advertised): void;
  /** Says goodbye for what it announced, and lets go of everything. */
  close(): Promise<void>;
}

export interface MdnsOptions {
  /** Name of the network interface, as `eth0`. Default: that of the multicast route. */
  readonly interface: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
