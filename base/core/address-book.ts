import { addressText, type UnitAddress, type Whereabouts } from './address.js';
import type { Unsubscribe } from './bus.js';

/** What is known of where one unit is. */
interface Places {
  readonly configured: Whereabouts;
  /** Where it was last said to be: it announced itself, or its serial port was plugged in. */
  found?: UnitAddress;
  /** Where it was last met. */
  met?: UnitAddress;
  /** What was said last of where it is was wrong: where it was met comes first, until what is said is right again. */
  isDoubted?: boolean;
}

/**
 * Where units are now, by UID: where the configuration says, until discovery finds them somewhere else. The identity of a
 * unit is its UID, never its address; what is announced is only where to look first, since anybody may announce anything.
 */
export class AddressBook {
  readonly #places = new Map<string, Places>();
  /** UIDs by the addresses that may be theirs, as text: the first that was said to be there first. */
  readonly #uids = new Map<string, string[]>();
  readonly #listeners = new Set<(uid: string) => void>();

  /** What the configuration says of a unit; `undefined`: it dials in. */
  configure(uid: string, where: Whereabouts | undefined): void {
    if (where === undefined) return;
    this.#places.set(uid, { configured: where });
    this.#index(uid);
  }

  /** It is no unit of this base any more. */
  remove(uid: string): void {
    this.#unindex(uid);
    this.#places.delete(uid);
  }

  /** Where to look for it, and in which order; empty: nobody has said so yet, or it dials in. */
  placesOf(uid: string): readonly UnitAddress[] {
    const { found, met, configured, isDoubted = false } = this.#places.get(uid) ?? {};
    const places = new Map<string, UnitAddress>();
    for (const place of isDoubted ? [met, found, configured] : [found, met, configured])
      if (place !== undefined && place !== 'mdns' && !places.has(addressText(place)))
        places.set(addressText(place), place);
    return [...places.values()];
  }

  /** Where to look first; `undefined`: nobody has said so yet, or it dials in. */
  of(uid: string): UnitAddress | undefined {
    return this.placesOf(uid)[0];
  }

  /** The unit that is to be at that address, as far as anybody knows. */
  uidAt(address: UnitAddress): string | undefined {
    return this.#uids.get(addressText(address).toLowerCase())?.[0];
  }

  /**
   * It is said to be there now. Whoever listens may dial it at once. Of a unit that dials in, or is not known, nothing is
   * kept.
   */
  found(uid: string, address: UnitAddress): void {
    const places = this.#places.get(uid);
    if (places === undefined) return;
    this.#unindex(uid);
    places.found = address;
    this.#index(uid);
    for (const hear of this.#listeners) hear(uid);
  }

  /**
   * It was met there: what was said of other places does not count any more, and was wrong. Gives where it was met before,
   * if that was somewhere else.
   */
  met(uid: string, address: UnitAddress): UnitAddress | undefined {
    const places = this.#places.get(uid);
    if (places === undefined) return undefined;
    const { configured, found } = places;
    const before = places.met ?? (configured === 'mdns' ? undefined : configured);
    this.#unindex(uid);
    if (found !== undefined) places.isDoubted = addressText(found) !== addressText(address);
    places.met = address;
    delete places.found;
    this.#index(uid);
    return before === undefined || addressText(before) === addressText(address) ? undefined : before;
  }

  onFound(hear: (uid: string) => void): Unsubscribe {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  #index(uid: string): void {
    for (const place of this.placesOf(uid)) {
      const text = addressText(place).toLowerCase();
      this.#uids.set(text, [...(this.#uids.get(text) ?? []), uid]);
    }
  }

  #unindex(uid: string): void {
    for (const place of this.placesOf(uid)) {
      const text = addressText(place).toLowerCase();
      const others = this.#uids.get(text)?.filter((other) => other !== uid) ?? [];
      if (others.length > 0) this.#uids.set(text, others);
      else this.#uids.delete(text);
    }
  }
}
