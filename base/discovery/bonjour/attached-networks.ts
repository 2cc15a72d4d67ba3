import { BlockList } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';

type Interfaces = Readonly<Record<string, readonly Pick<NetworkInterfaceInfo, 'family' | 'cidr'>[] | undefined>>;

/** They are looked up anew so often: machines move from one network to another. */
const FRESH_MS = 5_000;

/** The IPv4 networks that this machine is in: who answers mDNS from elsewhere is none of ours (RFC 6762 §11). */
export class AttachedNetworks {
  readonly #interfaces: () => Interfaces;
  #networks = new BlockList();
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `interfaces` as `os.networkInterfaces` gives them. */
  constructor(interfaces: () => Interfaces) {
    this.#interfaces = interfaces;
  }

  /** Whether a device of that IPv4 address is on one of them. `now`: monotonic, in ms. */
  has(address: string, now: number): boolean {
    if (now - this.#lookedAt >= FRESH_MS) {
      this.#lookedAt = now;
      this.#networks = networksOf(this.#interfaces());
    }
    return this.#networks.check(address);
  }
}

function networksOf(interfaces: Interfaces): BlockList {
  const networks = new BlockList();
  // Who has no address yet has one of these.
  networks.addSubnet('169.254.0.0', 16);
  for (const { family, cidr } of Object.values(interfaces).flatMap((addresses) => addresses ?? [])) {
    const [network = '', prefix] = (cidr ?? '').split('/');
    if (family === 'IPv4' && prefix !== undefined) networks.addSubnet(network, Number(prefix));
  }
  return networks;
}
