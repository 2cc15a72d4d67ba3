import { hostname } from 'node:os';
import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';
import type { AddressBook } from '../core/address-book.js';
import type { Unsubscribe } from '../core/bus.js';
import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import type { Records } from '../core/records.js';
import { type AdoptedUnit, countAdopted, eraseAdopted, isAdopted, MAX_ADOPTED, putAdopted } from './adopted-units.js';
import { adoptable, refused } from './adoption.js';
import { chooseMdns } from './choose-mdns.js';
import { DiscoveredUnits, type KnownFacts } from './discovered-units.js';
import type { AdoptInput, DiscoveredView, DiscoveryPort } from './discovery-port.js';
import { BASE_SERVICE, type Mdns, type MdnsOptions, UNIT_SERVICE } from './mdns.js';

/** RFC 1035 §2.3.4: of a label, which the name of an instance is. */
const MAX_LABEL_OCTETS = 63;

export interface DiscoveryOptions {
  readonly interface: string | undefined;
  /** What the base says of itself; `undefined`: it does not. `port` is asked for at the start; `undefined`: there is none. */
  readonly announce: { readonly name: string; readonly version: string; port(): number | undefined } | undefined;
  readonly definitions: ReadonlyMap<string, UnitDefinition>;
  /** Units of the configuration, and those that were adopted before. */
  readonly configured: ReadonlyMap<string, KnownFacts>;
  readonly adopted: readonly AdoptedUnit[];
  readonly addresses: AddressBook;
  readonly records: Records;
  /** Serves a unit from now on. False: another one has that UID. */
  readonly serve: (unit: AdoptedUnit) => boolean;
  /** Serves it no longer. */
  readonly release: (uid: string) => void;
  readonly onForgotten: (hear: (uid: string) => void) => Unsubscribe;
  /** Default: the library that there is. */
  readonly choose?: ((options: MdnsOptions) => Promise<Mdns>) | undefined;
  readonly crypto: Pick<SessionCrypto, 'hmac'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Finds units by mDNS, follows those that are known, lets the others be adopted, and announces the base. */
export class Discovery implements DiscoveryPort {
  readonly #options: DiscoveryOptions;
  readonly #units: DiscoveredUnits;
  readonly #adopted: Map<string, AdoptedUnit>;
  readonly #leave: Unsubscribe;
  #mdns: Mdns | undefined;
  /** One is adopted after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    const { addresses, definitions, crypto, clock, log } = options;
    this.#adopted = new Map(options.adopted.map((unit) => [unit.uid, unit]));
    const known = (uid: string): KnownFacts | undefined => options.configured.get(uid) ?? this.#adopted.get(uid);
    this.#units = new DiscoveredUnits({ addresses, known, definitions, crypto, clock, log });
    this.#leave = options.onForgotten((uid) => this.#isForgotten(uid));
  }

  async start(): Promise<void> {
    const { interface: name, announce, clock, random, log, choose = chooseMdns } = this.#options;
    const mdns = await choose({ interface: name, clock, random, log });
    this.#mdns = mdns;
    mdns.browse(UNIT_SERVICE, (event) => this.#units.hear(event));
    const port = announce?.port();
    if (announce === undefined || port === undefined) return;
    const txt = { name: announce.name, version: announce.version };
    mdns.advertise({ type: BASE_SERVICE, name: instanceName(announce.name), port, txt });
  }

  async stop(): Promise<void> {
    this.#leave();
    this.#units.stop();
    await this.#mdns?.close();
  }

  // DiscoveryPort.

  discovered(): readonly DiscoveredView[] {
    return this.#units.list();
  }

  adopt(uid: string, input: AdoptInput): Promise<boolean> {
    const done = this.#last.then(() => this.#adopt(uid, input));
    this.#last = done.catch(() => {});
    return done;
  }

  async #adopt(uid: string, { key }: AdoptInput): Promise<boolean> {
    const { definitions, configured, records, serve, crypto, log } = this.#options;
    if (configured.has(uid) || this.#adopted.has(uid)) throw refused(`${uid} is a unit of this base already`);
    const announced = this.#units.get(uid);
    if (announced === undefined) return false;
    const unit = adoptable(announced, key, definitions, crypto);
    if (countAdopted(records) >= MAX_ADOPTED)
      throw refused(`there are ${MAX_ADOPTED} adopted units already; write some of them into units.known`);
    await putAdopted(records, unit);
    if (!isAdopted(records, uid)) throw refused(`${uid} was forgotten while it was adopted`);
    if (!serve(unit)) {
      await eraseAdopted(records, uid);
      throw refused(`another unit of this base has the UID ${uid}`);
    }
    this.#adopted.set(uid, unit);
    log.info({ unit: uid, definition: unit.definition.name }, 'a unit was adopted');
    this.#units.adopted(uid);
    return true;
  }

  #isForgotten(uid: string): void {
    if (!this.#adopted.delete(uid)) return;
    this.#units.forgotten(uid);
    this.#options.release(uid);
  }
}

/** Two bases of one house may have the same name, but not the same machine. */
function instanceName(name: string): string {
  const machine = ` (${hostname().split('.')[0]})`;
  const octets = new TextEncoder().encode(machine).length;
  let cut = name;
  while (new TextEncoder().encode(cut).length + octets > MAX_LABEL_OCTETS) cut = [...cut].slice(0, -1).join('');
  return `${cut}${machine}`;
}
