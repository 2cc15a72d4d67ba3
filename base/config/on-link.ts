import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { canonicalHost } from './address.js';

/** As `os.networkInterfaces()` gives them. */
export type Interfaces = Readonly<
  Record<string, readonly Pick<NetworkInterfaceInfo, 'address' | 'cidr'>[] | undefined>
>;

const neverAUnit = new BlockList();
neverAUnit.addSubnet('0.0.0.0', 8);
neverAUnit.addSubnet('169.254.0.0', 16);
neverAUnit.addSubnet('224.0.0.0', 4);
neverAUnit.addAddress('255.255.255.255');
neverAUnit.addAddress('::', 'ipv6');
neverAUnit.addSubnet('fe80::', 10, 'ipv6');
neverAUnit.addSubnet('ff00::', 8, 'ipv6');

/**
 * True for a literal IP address inside one of this machine's own directly attached subnets: the only addresses, at port
 * 8888, that an `update.request` of the original's protocol may name beside the configured ones. Never a multicast,
 * broadcast, unspecified or link-local address. `interfaces` as `os.networkInterfaces()` gives them.
 */
export function isOnLink(ip: string, interfaces: Interfaces): boolean {
  if (isIP(ip) === 0 || ip.includes('%')) return false;
  const literal = canonicalHost(ip);
  const family = isIPv4(literal) ? 'ipv4' : 'ipv6';
  if (neverAUnit.check(literal, family)) return false;
  return Object.values(interfaces).some((addresses) =>
    (addresses ?? []).some(({ cidr }) => cidr !== null && isInside(literal, family, cidr)),
  );
}

function isInside(literal: string, family: 'ipv4' | 'ipv6', cidr: string): boolean {
  const [network = '', prefixText = ''] = cidr.split('/');
  const prefix = Number(prefixText);
  const isSameFamily = family === 'ipv4' ? isIPv4(network) : isIPv6(network);
  if (!isSameFamily || !Number.isInteger(prefix) || prefix < 1) return false;
  const subnet = new BlockList();
  subnet.addSubnet(network, prefix, family);
  if (!subnet.check(literal, family)) return false;
  return family === 'ipv6' || !isEdgeOfSubnet(literal, prefix);
}

/** The subnet's own address and its broadcast address; a /31 and a /32 have neither (RFC 3021). */
function isEdgeOfSubnet(literal: string, prefix: number): boolean {
  if (prefix >= 31) return false;
  const number = literal.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const inSubnet = number % 2 ** (32 - prefix);
  return inSubnet === 0 || inSubnet === 2 ** (32 - prefix) - 1;
}
