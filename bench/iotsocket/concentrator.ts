import { freePort } from '../../cli/free-port.js';
import { toHex } from '../../protocol/octets.js';
import { startBasePeer } from '../load/base-peer.js';
import type { RunningPeer } from '../load/peer.js';

/** As the generator has them (generator/iotsocket.h). */
const OBJECT_KEY = "an object's key!";
const CENTRAL_KEY = "a central's key!";
const OBJECTS = 10_000;

const hex = (text: string): string => toHex(new TextEncoder().encode(text));

/** More than any load of the bench: here it is not the bounds that are measured. */
const limits = {
  unproved: 16_384,
  unprovedPerAddress: 16_384,
  transmissionsPerS: 1_000_000,
  transmissionBurst: 1_000_000,
  loginsPerMinute: 1_000,
  datagramsPerTokenPerS: 1_000_000,
  datagramsPerS: 10_000_000,
};

/**
 * The base as its user runs it, with the concentrator and ten thousand objects in its access list. `nodeOptions` as for
 * Node's own command line.
 */
export async function startConcentrator(nodeOptions: readonly string[] = []): Promise<RunningPeer> {
  const port = await freePort();
  const objects = Array.from({ length: OBJECTS }, (_, index) => `object-${String(index).padStart(5, '0')}`);
  const entry = { GroupName: 'Devices', AuthKey: hex(OBJECT_KEY) };
  const accessList = JSON.stringify(Object.fromEntries(objects.map((uid) => [uid, entry])));
  const configuration = {
    name: 'bench',
    iotsocket: {
      tcp: `127.0.0.1:${port}`,
      udp: `127.0.0.1:${port}`,
      central: { key: hex(CENTRAL_KEY) },
      groups: { Devices: { telemetry: true } },
      accessList: 'acl.json',
      history: false,
      limits,
    },
  };
  return startBasePeer({ configuration, files: { 'acl.json': accessList }, port, udpPort: port, nodeOptions });
}
