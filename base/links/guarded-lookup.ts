import { promises as dns, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { RelayError } from '../../protocol/errors.js';
import { isPublicAddress } from './public-address.js';

/** All addresses of a host name. Default: as the system resolves it. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

export interface GuardedLookupOptions {
  /** Any address will do. Default false. */
  readonly allowPrivate?: boolean | undefined;
  /** Where that is set, for the message: `webhooks[0].allowPrivate`. */
  readonly option: string;
  readonly resolve?: Resolve | undefined;
}

/**
 * A `lookup` for sockets: resolves a host name once for each connection, and hands out what it has judged, so that no
 * name can turn inward between the check and the connection. One address that is not public refuses them all, with
 * RelayError `uplink-unreachable`. A literal IP address (for which no socket asks) and `localhost` may be private as
 * written: the configuration itself names where they lead, and no DNS can change it.
 */
export function guardedLookup({ allowPrivate = false, option, resolve = resolveBySystem }: GuardedLookupOptions) {
  const addressesOf = async (hostname: string): Promise<readonly [LookupAddress, ...LookupAddress[]]> => {
    const [first, ...others] = await resolve(hostname);
    if (first === undefined) throw new RelayError('uplink-unreachable', `${hostname} has no address`);
    const isFree = allowPrivate || hostname === 'localhost';
    const refused = isFree ? undefined : [first, ...others].find(({ address }) => !isPublicAddress(address));
    if (refused !== undefined)
      throw new RelayError(
        'uplink-unreachable',
        `${hostname} resolves to ${refused.address}, a private address; set ${option} if that is meant`,
      );
    return [first, ...others];
  };
  const lookup: LookupFunction = (hostname, { all }, callback) => {
    addressesOf(hostname).then(
      (addresses) =>
        all === true ? callback(null, [...addresses]) : callback(null, addresses[0].address, addresses[0].family),
      (error) => callback(error, []),
    );
  };
  return lookup;
}
