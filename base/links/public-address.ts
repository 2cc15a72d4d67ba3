import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * IANA's IPv4 special-purpose registry, and what can be no receiver's address at all. The few addresses in these blocks
 * that the registry calls global (192.0.0.9, 192.0.0.10) are anycast of the network itself.
 */
const specialIPv4 = blockList('ipv4', [
  '0.0.0.0/8', // this network, unspecified (RFC 791)
  '10.0.0.0/8', // private (RFC 1918)
  '100.64.0.0/10', // behind a carrier's NAT (RFC 6598)
  '127.0.0.0/8', // loopback (RFC 1122)
  '169.254.0.0/16', // link-local, and a cloud's metadata (RFC 3927)
  '172.16.0.0/12', // private (RFC 1918)
  '192.0.0.0/24', // protocol assignments (RFC 6890)
  '192.0.2.0/24', // documentation (RFC 5737)
  '192.88.99.0/24', // relays of 6to4, given up (RFC 7526)
  '192.168.0.0/16', // private (RFC 1918)
  '198.18.0.0/15', // benchmarks (RFC 2544)
  '198.51.100.0/24', // documentation (RFC 5737)
  '203.0.113.0/24', // documentation (RFC 5737)
  '224.0.0.0/4', // multicast (RFC 5771)
  '240.0.0.0/4', // reserved, broadcast (RFC 1112, RFC 919)
]);

/**
 * All of IPv6 that is handed out as global unicast (RFC 4291 §2.4). Outside it lie ::, ::1, 100::/64 (discard), fc00::/7
 * (unique local), fe80::/10 (link-local), ff00::/8 (multicast), and whatever has no meaning yet.
 */
const globalIPv6 = blockList('ipv6', ['2000::/3']);

/** What in it is special (IANA's IPv6 special-purpose registry). */
const specialIPv6 = blockList('ipv6', [
  '2001::/23', // protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation (RFC 3849)
  '3fff::/20', // documentation (RFC 9637)
]);

/** Where an IPv4 address is inside an IPv6 address: behind so many groups of 16 bits. */
const carriers = [
  { prefix: blockList('ipv6', ['::ffff:0:0/96']), groups: 6 }, // IPv4-mapped (RFC 4291)
  { prefix: blockList('ipv6', ['64:ff9b::/96']), groups: 6 }, // NAT64 (RFC 6052)
  { prefix: blockList('ipv6', ['2002::/16']), groups: 1 }, // 6to4 (RFC 3056)
] as const;

/**
 * True for a literal IP address that the whole Internet may reach. False for loopback, private and link-local networks,
 * multicast, documentation and everything else, also for text that is no address or has a zone. Never throws.
 */
export function isPublicAddress(address: string): boolean {
  // What is asked for most; the lists take a hundred times as long.
  if (/^(?:127|10|192\.168)\./.test(address)) return false;
  if (isIPv4(address)) return !specialIPv4.check(address);
  if (!isIPv6(address) || address.includes('%')) return false;
  const carrier = carriers.find(({ prefix }) => prefix.check(address, 'ipv6'));
  if (carrier !== undefined) return isPublicAddress(embeddedIPv4(address, carrier.groups));
  return globalIPv6.check(address, 'ipv6') && !specialIPv6.check(address, 'ipv6');
}

function embeddedIPv4(address: string, behind: number): string {
  const [high = 0, low = 0] = groupsOf(address).slice(behind);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // URL writes a dotted end as two groups
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(8 - before!.length - after!.length).fill('0');
  return [...before!, ...zeros, ...after!].map((group) => Number.parseInt(group, 16));
}

function blockList(family: 'ipv4' | 'ipv6', blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', prefix] = block.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}
