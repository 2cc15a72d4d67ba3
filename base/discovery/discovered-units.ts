import { fingerprintOf, type UnitDefinition } from '../../protocol/definition/index.js';
import { keyMarker } from '../../protocol/iotsocket/key-marker.js';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';
import { type Address, addressText, isSerial } from '../core/address.js';
import type { AddressBook } from '../core/address-book.js';
import type { Clock, Timer } from '../core/clock.js';
import { type Log, peerText } from '../core/log.js';
import { SaidOnce } from '../core/said-once.js';
import { strangerText } from '../core/stranger-text.js';
import { TokenBucket } from '../core/token-bucket.js';
import { type AnnouncedUnit, readAnnounced } from './announced-unit.js';
import type { DiscoveredView } from './discovery-port.js';
import { MAX_SERVICES, type MdnsEvent } from './mdns.js';

/** A known unit is dialled where it is announced so often; what is announced meanwhile waits. Anybody may announce it. */
export const FOLLOWED = { perSecond: 0.1, burst: 5 } as const;
const FOLLOW_LATER_MS = 10_000;
/** Lines of the log about what is announced, over all: the names in it are the strangers' to choose. */
const LOGGED = { perSecond: 1, burst: 20 } as const;
/** An address that is given up and is back so soon is that of another device with the same UID. */
export const CONTESTED_MS = 300_000;
const MAX_FORMER = 4;

/** What is known of a unit of this base. */
export interface KnownFacts {
  readonly definition: UnitDefinition;
  readonly key: Uint8Array | undefined;
}

export interface DiscoveredUnitsOptions {
  readonly addresses: AddressBook;
  readonly known: (uid: string) => KnownFacts | undefined;
  readonly definitions: ReadonlyMap<string, UnitDefinition>;
  readonly crypto: Pick<SessionCrypto, 'hmac'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Entry {
  unit: AnnouncedUnit;
  /** Where it was announced before, and until when (monotonic ms); the latest last. */
  readonly former: { readonly place: string; readonly at: number }[];
  isContested: boolean;
  /** It is followed a little later. */
  later: Timer | undefined;
}

/**
 * The units that announce themselves. Known ones are followed: the address book learns where to look for them. The others
 * wait to be adopted. Nothing that is announced is proved, so a known unit whose link is up stays where it is.
 */
export class DiscoveredUnits {
  readonly #options: DiscoveredUnitsOptions;
  /** By UID, in the order of their last announcement. */
  readonly #entries = new Map<string, Entry>();
  readonly #said = new SaidOnce();
  readonly #logged: TokenBucket;
  /** How often known units are followed, by UID: whoever says goodbye for one in between does not make it more often. */
  readonly #rates = new Map<string, TokenBucket>();
  /** By name. */
  readonly #fingerprints = new Map<string, string>();

  constructor(options: DiscoveredUnitsOptions) {
    this.#options = options;
    this.#logged = new TokenBucket(LOGGED, options.clock.monotonic());
  }

  get(uid: string): AnnouncedUnit | undefined {
    return this.#entries.get(uid)?.unit;
  }

  list(): readonly DiscoveredView[] {
    return [...this.#entries.values()]
      .map((entry) => this.#view(entry))
      .sort((a, b) => (a.unit < b.unit ? -1 : Number(a.unit > b.unit)));
  }

  hear(event: MdnsEvent): void {
    if (event.kind === 'down') return this.#gone(event.name);
    const read = readAnnounced(event.service);
    const { name } = event.service;
    if (read.ok) return this.#isUp(read.unit);
    this.#gone(name);
    this.#say(`unread ${name}`, { unit: peerText(name), reason: read.what }, 'what announces itself as a unit is none');
  }

  /** It is one of this base no longer. */
  forgotten(uid: string): void {
    this.#rates.delete(uid);
    this.#entries.get(uid)?.later?.cancel();
  }

  /** It is one of this base from now on. */
  adopted(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) this.#follow(entry);
  }

  stop(): void {
    for (const { later } of this.#entries.values()) later?.cancel();
    this.#entries.clear();
  }

  #isUp(unit: AnnouncedUnit): void {
    const { uid } = unit;
    const known = this.#entries.get(uid);
    const entry = known ?? { unit, former: [], isContested: false, later: undefined };
    if (known !== undefined) this.#moved(known, unit);
    this.#entries.delete(uid);
    this.#entries.set(uid, entry);
    this.#bound();
    const expected = this.#inPlaceOf(unit);
    if (expected !== undefined)
      this.#say(
        `stranger ${addressText(expected.at)}`,
        { unit: expected.uid, met: peerText(uid) },
        strangerText(expected.at, uid, expected.uid),
      );
    if (this.#options.known(uid) !== undefined) this.#isKnown(entry);
    else if (expected === undefined)
      this.#say(
        `new ${uid}`,
        { unit: peerText(uid), address: placeOf(unit) },
        'a unit announces itself; see baseunit adopt',
        'info',
      );
  }

  /** Two devices with one UID are heard in turns. */
  #moved(entry: Entry, unit: AnnouncedUnit): void {
    const now = this.#options.clock.monotonic();
    const [from, to] = [placeOf(entry.unit), placeOf(unit)];
    entry.unit = unit;
    if (from === to) return;
    entry.isContested = entry.former.some(({ place, at }) => place === to && now - at < CONTESTED_MS);
    entry.former.push({ place: from, at: now });
    if (entry.former.length > MAX_FORMER) entry.former.shift();
    if (entry.isContested)
      this.#say(`contested ${unit.uid}`, { unit: unit.uid, at: [from, to] }, contestedText(unit.uid));
  }

  #isKnown(entry: Entry): void {
    const { unit } = entry;
    const { uid } = unit;
    const key = this.#keyOf(unit);
    if (key === 'other')
      this.#say(
        `key ${uid}`,
        { unit: uid, address: placeOf(unit) },
        `${uid} announces another key than the one it has here`,
      );
    else if (key === 'none')
      this.#say(
        `key ${uid}`,
        { unit: uid, address: placeOf(unit) },
        `${uid} has no key yet: baseunit provision gives it one`,
      );
    else this.#said.forget(`key ${uid}`);
    this.#follow(entry);
  }

  #follow(entry: Entry): void {
    const { addresses, clock } = this.#options;
    const { unit } = entry;
    const now = addresses.of(unit.uid);
    const rate = this.#rates.get(unit.uid) ?? new TokenBucket(FOLLOWED, clock.monotonic());
    this.#rates.set(unit.uid, rate);
    entry.later?.cancel();
    entry.later = undefined;
    // Who says where its cable is plugged in is not looked for elsewhere.
    if (now !== undefined && isSerial(now)) return;
    if (rate.take(clock.monotonic())) addresses.found(unit.uid, isThere(unit, now) ? now! : unit.addresses[0]!);
    else entry.later = clock.after(FOLLOW_LATER_MS, () => this.#follow(entry));
  }

  #gone(uid: string): void {
    this.#entries.get(uid)?.later?.cancel();
    this.#entries.delete(uid);
  }

  /** Strangers go first. */
  #bound(): void {
    if (this.#entries.size <= MAX_SERVICES) return;
    const uids = [...this.#entries.keys()];
    this.#gone(uids.find((uid) => this.#options.known(uid) === undefined) ?? uids[0]!);
  }

  /** The known unit that is looked for at an address of this one. */
  #inPlaceOf({ uid, addresses }: AnnouncedUnit): { readonly uid: string; readonly at: Address } | undefined {
    for (const at of addresses) {
      const { addresses: book } = this.#options;
      const expected = book.uidAt(at);
      if (expected === undefined || expected === uid) continue;
      const place = book.of(expected);
      if (place !== undefined && addressText(place) === addressText(at)) return { uid: expected, at };
    }
    return undefined;
  }

  #keyOf({ uid, key }: AnnouncedUnit): DiscoveredView['key'] {
    if (typeof key === 'string') return key;
    const ours = this.#options.known(uid)?.key;
    if (ours === undefined) return 'unknown';
    return keyMarker(this.#options.crypto, ours, uid) === key.marker ? 'ours' : 'other';
  }

  #view({ unit, isContested }: Entry): DiscoveredView {
    const { uid, definition: name, version, fingerprint, mac, board, host, addresses } = unit;
    const { definitions, known } = this.#options;
    const definition = definitions.get(name);
    const isKnown = known(uid) !== undefined;
    const stranger = this.#inPlaceOf(unit);
    return {
      unit: uid,
      definition: name,
      version,
      fingerprint,
      ...(mac === undefined ? {} : { mac }),
      ...(board === undefined ? {} : { board }),
      address: addressText(addresses[0]!),
      host,
      key: this.#keyOf(unit),
      isKnown,
      hasDefinition: definition !== undefined,
      isSame: definition !== undefined && this.#fingerprintOf(definition) === fingerprint,
      notes: [
        ...(stranger === undefined ? [] : [strangerText(stranger.at, uid, stranger.uid)]),
        ...(isContested ? [contestedText(uid)] : []),
      ],
    };
  }

  #fingerprintOf(definition: UnitDefinition): string {
    const known = this.#fingerprints.get(definition.name) ?? fingerprintOf(definition);
    this.#fingerprints.set(definition.name, known);
    return known;
  }

  #say(subject: string, fields: object, text: string, level: 'info' | 'warn' = 'warn'): void {
    if (this.#said.isNew(subject, JSON.stringify([fields, text])) && this.#logged.take(this.#options.clock.monotonic()))
      this.#options.log[level](fields, text);
  }
}

const placeOf = ({ addresses }: AnnouncedUnit): string => addressText(addresses[0]!);

const contestedText = (uid: string): string =>
  `two devices announce ${JSON.stringify(uid)}: the base keeps to the one that has its key; give the other a name of its own`;

/** Whether that is one of its addresses, or its own name. */
const isThere = ({ addresses, host }: AnnouncedUnit, at: Address | undefined): boolean =>
  at !== undefined &&
  addresses.some(
    ({ host: each, port }) => port === at.port && [each, host].includes(at.host.toLowerCase().replace(/\.$/, '')),
  );
