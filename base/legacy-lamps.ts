import { networkInterfaces } from 'node:os';
import { canonicalHost } from './config/address.js';
import { isOnLink, legacyUpdatableUnit } from './config/legacy-config.js';
import type { CommandRequest } from './core/command-request.js';
import type { Log } from './core/log.js';
import type { Outcome } from './core/messages.js';
import type { Router } from './core/router.js';
import type { LineDialect } from './dialects/line/line-dialect.js';

/** Lamps that an original's dashboard may name beside the configured units; their number is bounded like everything else. */
export const MAX_LEGACY_UPDATABLE = 256;

/**
 * The original's file names its read units only: its base dials whatever address a message names. Ours takes up a lamp that
 * such a message names when it is on a network this machine is attached to itself; the router refuses every other.
 */
export function commandWithLegacyLamps(
  router: Router,
  line: LineDialect,
  log: Log,
): (request: CommandRequest) => Promise<Outcome> {
  let taken = 0;
  let isBoundSaid = false;
  const take = (address: string): void => {
    if (!isOnLink(address, networkInterfaces())) return;
    if (taken >= MAX_LEGACY_UPDATABLE) {
      if (!isBoundSaid)
        log.warn({ bound: MAX_LEGACY_UPDATABLE }, 'no more lamps that the file does not name are taken up');
      isBoundSaid = true;
      return;
    }
    taken += 1;
    const unit = {
      uid: address,
      definition: legacyUpdatableUnit,
      address: { host: address, port: 8888 },
      key: undefined,
    };
    router.add(unit);
    line.serve(unit);
  };
  return (request) => {
    if (request.line === undefined || router.knows(request)) return router.command(request);
    // One spelling for one lamp: two would be two connections to it.
    const named = { ...request, unit: canonicalHost(request.unit) };
    if (!router.knows(named)) take(named.unit);
    return router.command(named);
  };
}
