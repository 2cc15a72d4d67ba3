import { addressText } from '../core/address.js';
import type { ElfinOptions } from '../dialects/elfin/elfin-options.js';
import { isOnNetwork } from './address.js';

/** What works in a gateway and should be known: who may read along, and be a user. Loopback is no network. */
export function elfinWarnings({ listeners, requireKnownUser }: ElfinOptions): string[] {
  const onNetwork = listeners.filter(({ listen }) => isOnNetwork(listen));
  const warnings = onNetwork
    .filter(({ tls }) => tls === undefined)
    .map(
      ({ setting, listen }) =>
        `elfin.${setting ?? addressText(listen)} is without TLS: whoever is on the way reads uuids, secrets and all that goes through tunnels. Who knows the uuid of a user can list its devices, take them over and open tunnels to them, unless the user has a secret: baseunit elfin users add <uuid> --new-secret`,
    );
  if (!requireKnownUser && onNetwork.length > 0) {
    warnings.push(
      'elfin.requireKnownUser is false: WHOEVER REACHES THE GATEWAY IS A USER, with devices and tunnels of its own, and takes the device of any user without a secret',
    );
  }
  return warnings;
}
