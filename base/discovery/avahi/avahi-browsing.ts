import type { Clock, Timer } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { MAX_SERVICES, type MdnsEvent } from '../mdns.js';
import { readTxt, splitTxt } from '../service-txt.js';
import type { AvahiLibrary } from './avahi-library.js';
import { HeldService } from './held-service.js';
import { type Resolved, resolveService, type Sighting } from './resolve-service.js';

/** Each is a thread and a connection to the system's bus, of which a user has 256. */
const MAX_RESOLVING = 4;
const RESOLVE_MS = 6_000;
/**
 * The daemon does not tell when a service's port or address changes: so it is asked again, from what it remembers, one
 * service at a time, twice a second.
 */
const RESOLVE_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 500;
/** A service that the daemon cannot resolve so often in a row has gone without a word. */
const MISSES = 2;
/** For the daemon that was restarted to hear of everybody anew. */
const RESTART_MS = 15_000;

export interface AvahiBrowsingOptions {
  readonly library: AvahiLibrary;
  readonly type: string;
  readonly hear: (event: MdnsEvent) => void;
  readonly interface: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Instance {
  readonly name: string;
  /** By the number of the interface: how often the daemon has told of it there, once each for IPv4 and IPv6. */
  readonly seen: Map<number, { readonly domain: string; count: number }>;
  /** Monotonic ms; `undefined`: never yet. */
  askedAt: number | undefined;
  isAsking: boolean;
  misses: number;
  /** What was last told of it, as text; `undefined`: nothing. */
  told: string | undefined;
}

/** What the library tells of a service. */
interface Told {
  readonly name?: string;
  readonly interfaceIndex: number;
  readonly replyDomain: string;
}

/** Services of one type, as Avahi's daemon knows them. */
export class AvahiBrowsing {
  readonly #options: AvahiBrowsingOptions;
  readonly #held: HeldService;
  readonly #stop = new AbortController();
  /** By name; in the order of their last announcement. */
  readonly #instances = new Map<string, Instance>();
  #resolving = 0;
  #look: Timer | undefined;
  #sweep: Timer | undefined;

  constructor(options: AvahiBrowsingOptions) {
    this.#options = options;
    const { clock, random, log } = options;
    this.#held = new HeldService({ make: () => this.#browser(), clock, random, log });
  }

  start(): this {
    this.#held.start();
    this.#next();
    return this;
  }

  stop(): void {
    this.#stop.abort(new Error('discovery has ended'));
    this.#look?.cancel();
    this.#sweep?.cancel();
    this.#held.stop();
  }

  #browser() {
    const { library, type, interface: name, clock } = this.#options;
    const given = { resolverSequence: [], lookupInterfaceNames: false, ...(name && { networkInterface: name }) };
    const browser = new library.Browser(type, given);
    browser.on('serviceUp', (told: Told) => this.#isUp(told));
    browser.on('serviceDown', (told: Told) => this.#isDown(told));
    // What the daemon before told does not count; who is not told of again is gone.
    for (const { seen } of this.#instances.values()) seen.clear();
    this.#sweep?.cancel();
    this.#sweep = clock.after(RESTART_MS, () => {
      for (const instance of this.#instances.values()) if (instance.seen.size === 0) this.#remove(instance);
    });
    return browser;
  }

  #isUp({ name, interfaceIndex, replyDomain }: Told): void {
    if (name === undefined) return;
    const known = this.#instances.get(name);
    const instance = known ?? {
      name,
      seen: new Map(),
      askedAt: undefined,
      isAsking: false,
      misses: 0,
      told: undefined,
    };
    const count = (instance.seen.get(interfaceIndex)?.count ?? 0) + 1;
    instance.seen.set(interfaceIndex, { domain: replyDomain, count });
    // It is announced anew: what is known of it may be old.
    instance.askedAt = undefined;
    this.#instances.delete(name);
    this.#instances.set(name, instance);
    if (this.#instances.size > MAX_SERVICES) this.#remove(this.#instances.values().next().value!);
    this.#ask();
  }

  #isDown({ name, interfaceIndex }: Told): void {
    const instance = name === undefined ? undefined : this.#instances.get(name);
    const seen = instance?.seen.get(interfaceIndex);
    if (instance === undefined || seen === undefined) return;
    seen.count -= 1;
    if (seen.count > 0) return;
    instance.seen.delete(interfaceIndex);
    if (instance.seen.size === 0) this.#remove(instance);
  }

  #remove(instance: Instance): void {
    this.#instances.delete(instance.name);
    this.#gone(instance);
  }

  #next(): void {
    this.#look = this.#options.clock.after(LOOK_EVERY_MS, () => {
      this.#askAgain();
      this.#next();
    });
  }

  /** Those that are announced anew. */
  #ask(): void {
    for (const instance of this.#instances.values())
      if (instance.askedAt === undefined && this.#isFree(instance)) void this.#resolve(instance);
  }

  /** The one that was asked for longest ago. */
  #askAgain(): void {
    const dueAt = this.#options.clock.monotonic() - RESOLVE_EVERY_MS;
    let oldest: Instance | undefined;
    for (const instance of this.#instances.values())
      if (this.#isFree(instance) && (instance.askedAt ?? 0) < (oldest?.askedAt ?? Number.POSITIVE_INFINITY))
        oldest = instance;
    if (oldest !== undefined && (oldest.askedAt ?? 0) <= dueAt) void this.#resolve(oldest);
  }

  #isFree({ isAsking, seen }: Instance): boolean {
    return !isAsking && seen.size > 0 && this.#resolving < MAX_RESOLVING;
  }

  async #resolve(instance: Instance): Promise<void> {
    const { library, type, clock } = this.#options;
    const [interfaceIndex, { domain }] = instance.seen.entries().next().value!;
    const late = new AbortController();
    const timer = clock.after(RESOLVE_MS, () => late.abort(new Error('the daemon does not answer')));
    instance.askedAt = clock.monotonic();
    instance.isAsking = true;
    this.#resolving += 1;
    const signal = AbortSignal.any([this.#stop.signal, late.signal]);
    const at: Sighting = { interfaceIndex, domain };
    const resolved = await resolveService(library, instance.name, type, at, signal).catch((error: Error) => error);
    timer.cancel();
    this.#resolving -= 1;
    instance.isAsking = false;
    if (this.#stop.signal.aborted) return;
    if (this.#instances.get(instance.name) === instance) this.#tell(instance, resolved);
    this.#ask();
  }

  #tell(instance: Instance, resolved: Resolved | Error): void {
    const { hear, log } = this.#options;
    if (resolved instanceof Error) {
      instance.misses += 1;
      log.debug({ name: peerText(instance.name), reason: peerText(resolved.message) }, 'a service was not resolved');
      if (instance.misses >= MISSES) this.#gone(instance);
      return;
    }
    instance.misses = 0;
    const strings = splitTxt(resolved.txt);
    const txt = strings && readTxt(strings);
    const { host, port, addresses } = resolved;
    const text = JSON.stringify([host, port, addresses, txt && [...txt]]);
    if (text === instance.told) return;
    instance.told = text;
    hear({ kind: 'up', service: { name: instance.name, host, port, addresses, txt } });
  }

  #gone(instance: Instance): void {
    if (instance.told === undefined) return;
    instance.told = undefined;
    this.#options.hear({ kind: 'down', name: instance.name });
  }
}
