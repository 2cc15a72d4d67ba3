import { addressText, networkAddress } from './address.js';
import type { PresenceState } from './messages.js';
import { type RegisteredUnit, UnitRecord } from './unit-record.js';

/** The port that may be left out of a unit's address. */
const DEFAULT_PORT = 8888;

/** Units of one handler that are in the same state. */
export interface UnitCount {
  /** Name of the handler. */
  readonly dialect: string;
  readonly state: PresenceState;
  readonly count: number;
}

/** The units of this base, by UID and by address. */
export class Registry {
  readonly #byUid = new Map<string, UnitRecord>();
  readonly #uidByAddress = new Map<string, string>();

  add(unit: RegisteredUnit, ids: { readonly boot: number; readonly wireId: number }): UnitRecord {
    const record = new UnitRecord(unit, ids);
    this.#byUid.set(unit.uid, record);
    if (unit.address !== undefined && unit.address !== 'mdns') {
      this.#uidByAddress.set(addressText(unit.address).toLowerCase(), unit.uid);
      const network = networkAddress(unit.address);
      if (network?.port === DEFAULT_PORT) this.#uidByAddress.set(network.host.toLowerCase(), unit.uid);
    }
    return record;
  }

  remove(uid: string): void {
    const hadAddress = this.#byUid.get(uid)?.unit.address !== undefined;
    this.#byUid.delete(uid);
    if (!hadAddress) return;
    for (const [address, at] of this.#uidByAddress) if (at === uid) this.#uidByAddress.delete(address);
  }

  get size(): number {
    return this.#byUid.size;
  }

  get(uid: string): UnitRecord | undefined {
    return this.#byUid.get(uid);
  }

  /** By `host:port`, or by `host` where the port is 8888. */
  byAddress(address: string): UnitRecord | undefined {
    const uid = this.#uidByAddress.get(address.toLowerCase());
    return uid === undefined ? undefined : this.#byUid.get(uid);
  }

  uids(): IterableIterator<string> {
    return this.#byUid.keys();
  }

  /** How many there are of each handler in each state, without looking further into any. */
  census(): readonly UnitCount[] {
    const counts = new Map<string, { dialect: string; state: PresenceState; count: number }>();
    for (const { dialect, state } of this.all()) {
      const key = `${dialect} ${state}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { dialect, state, count: 1 });
      else known.count += 1;
    }
    return [...counts.values()];
  }

  all(): IterableIterator<UnitRecord> {
    return this.#byUid.values();
  }
}
