import type { SessionCrypto } from '../protocol/iotsocket/proof.js';
import type { Configuration } from './config/configuration.js';
import { servedUnit } from './configured-handlers.js';
import type { AddressBook } from './core/address-book.js';
import type { Clock } from './core/clock.js';
import type { Log } from './core/log.js';
import type { Random } from './core/random.js';
import type { Router } from './core/router.js';
import type { StoredRecord } from './core/store.js';
import type { ServedUnit } from './dialects/handler.js';
import type { LineDialect } from './dialects/line/line-dialect.js';
import type { UnitDialect } from './dialects/unit/unit-dialect.js';
import type { AdoptedUnit } from './discovery/adopted-units.js';
import type { Discovery } from './discovery/discovery.js';

export interface DiscoveredOptions {
  readonly configuration: Configuration;
  readonly version: string;
  readonly router: Router;
  readonly addresses: AddressBook;
  readonly line: LineDialect;
  readonly unit: UnitDialect;
  readonly crypto: SessionCrypto;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The units of a base: those of its configuration, and those that were adopted. */
export interface HouseUnits {
  readonly served: readonly ServedUnit[];
  readonly adopted: readonly AdoptedUnit[];
}

/** What the store has of adopted units counts where the base looks for units: nobody else finds them. */
export async function houseUnits(
  { units, discovery }: Configuration,
  records: readonly StoredRecord[],
  log: Log,
): Promise<HouseUnits> {
  const served = (units?.known ?? []).map(servedUnit);
  if (discovery === undefined) return { served, adopted: [] };
  const { adoptedBefore } = await import('./discovery/adopted-units.js');
  const uids = new Set(served.map(({ uid }) => uid));
  const adopted = adoptedBefore(records, discovery.definitions, (uid) => uids.has(uid), log);
  return { served: [...served, ...adopted.map(adoptedUnit)], adopted };
}

/** Discovery, where the configuration has it; `httpPort` is asked for when it starts. */
export async function loadDiscovery(
  { served, adopted }: HouseUnits,
  { configuration, version, router, addresses, line, unit, crypto, clock, random, log }: DiscoveredOptions,
  httpPort: () => number | undefined,
): Promise<Discovery | undefined> {
  const { discovery, name } = configuration;
  if (discovery === undefined) return undefined;
  const { Discovery } = await import('./discovery/discovery.js');
  const { interface: networkInterface, definitions } = discovery;
  const port = (): number | undefined => unit.listening?.port ?? httpPort();
  const isAdopted = new Set(adopted.map(({ uid }) => uid));
  return new Discovery({
    interface: networkInterface,
    announce: discovery.announce ? { name, version, port } : undefined,
    definitions,
    configured: new Map(served.filter(({ uid }) => !isAdopted.has(uid)).map((each) => [each.uid, each])),
    adopted,
    addresses,
    records: router.records,
    serve: (adoptee) => {
      const one = adoptedUnit(adoptee);
      if (!router.add(one)) return false;
      addresses.configure(one.uid, one.address);
      (one.definition.wire === 'line' ? line : unit).serve(one);
      return true;
    },
    release: (uid) => {
      router.removeTyped(uid, 'the unit was forgotten');
      addresses.remove(uid);
      for (const dialect of [line, unit]) void dialect.release(uid);
    },
    onForgotten: (hear) => router.hearForgotten(hear),
    crypto,
    clock,
    random,
    log: log.child({ part: 'discovery' }),
  });
}

const adoptedUnit = ({ uid, definition, key }: AdoptedUnit): ServedUnit => ({ uid, definition, address: 'mdns', key });
