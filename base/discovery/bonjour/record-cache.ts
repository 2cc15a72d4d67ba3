import { TokenBucket } from '../../core/token-bucket.js';
import { type Announced, MAX_ADDRESSES, MAX_SERVICES, type MdnsEvent } from '../mdns.js';
import { readTxt } from '../service-txt.js';

/** A resource record as dns-packet decodes it: of no type but those below `data` is looked at. */
export interface DnsRecord {
  readonly name: string;
  readonly type: string;
  /** s. */
  readonly ttl?: number | undefined;
  readonly data?: unknown;
}

export interface DnsQuestion {
  readonly name: string;
  readonly type: 'PTR' | 'SRV' | 'TXT' | 'A';
}

/** Longer than anybody need be believed: RFC 6762 §10 recommends 75 min, and 2 min for what names a host. */
const MAX_TTL_S = 4_500;
/** Services of one device: each is told of anew when the device changes its address. */
export const MAX_SERVICES_OF_HOST = 64;
/**
 * How often services are told of: all of them at once, and then so many a second. One packet can change all of them, and
 * whoever is told of one has more to do than its sender.
 */
const TOLD = { perSecond: 100, burst: 2 * MAX_SERVICES } as const;
/** RFC 1035 §2.3.4: of a name and of its labels, in octets. */
const MAX_NAME = 253;
const MAX_LABEL = 63;

interface Instance {
  readonly name: string;
  readonly fqdn: string;
  expiresAt: number;
  service?: { readonly host: string; readonly port: number; readonly expiresAt: number } | undefined;
  /** It lives as long as the name does. */
  txt?: { readonly txt: Announced['txt'] } | undefined;
  /** What was last told of it, as text; `undefined`: nothing. */
  told?: string | undefined;
  /** It is told of with the next `expire`: too much was told. */
  isLate?: boolean | undefined;
}

interface Host {
  expiresAt: number;
  readonly addresses: { A: readonly string[]; AAAA: readonly string[] };
}

/**
 * What is announced of one type of service, made of the records as they come: in whichever packet, in whichever order.
 * What comes last counts; what is not repeated in its time to live goes. The times are those of a monotonic clock, in ms.
 */
export class RecordCache {
  readonly #type: string;
  readonly #hear: (event: MdnsEvent) => void;
  /** By name in small letters. In the order of their last announcement. */
  readonly #instances = new Map<string, Instance>();
  /** Of these instances, by name in small letters. */
  readonly #hosts = new Map<string, Host>();
  readonly #telling = new TokenBucket(TOLD, Number.NEGATIVE_INFINITY);

  constructor(type: string, hear: (event: MdnsEvent) => void) {
    this.#type = `${type}.local`;
    this.#hear = hear;
  }

  get size(): number {
    return this.#instances.size;
  }

  /** What asks for all of them. */
  get question(): DnsQuestion {
    return { name: this.#type, type: 'PTR' };
  }

  /** The records of one packet. Gives what to ask to know more of what it announces. */
  take(records: readonly DnsRecord[], now: number): readonly DnsQuestion[] {
    const touched = new Set<Instance | undefined>();
    for (const record of records) if (record.type === 'PTR') touched.add(this.#pointer(record, now));
    const services = this.#servicesByHost();
    for (const record of records) {
      if (record.type === 'SRV') touched.add(this.#service(record, now, services));
      if (record.type === 'TXT') touched.add(this.#txt(record));
    }
    const moved = this.#addresses(records, now);
    if (moved.size > 0)
      for (const instance of this.#instances.values())
        if (instance.service !== undefined && moved.has(instance.service.host)) touched.add(instance);
    return [...touched].flatMap((instance) =>
      instance === undefined || instance.isLate ? [] : this.#tell(instance, now),
    );
  }

  /** Lets what is out of date go, and tells what is late. Often. */
  expire(now: number): void {
    for (const [key, instance] of this.#instances) {
      const { service } = instance;
      const host = service && this.#hosts.get(service.host);
      if (service !== undefined && Math.min(service.expiresAt, host?.expiresAt ?? 0) <= now) {
        instance.service = undefined;
        this.#gone(instance);
      }
      if (instance.expiresAt <= now) this.#remove(key, instance);
      else if (instance.isLate) this.#tell(instance, now);
    }
    for (const [key, host] of this.#hosts) if (host.expiresAt <= now) this.#hosts.delete(key);
  }

  #pointer({ name, data, ttl }: DnsRecord, now: number): Instance | undefined {
    if (!isSame(name, this.#type) || typeof data !== 'string' || !isName(data)) return undefined;
    const key = keyOf(data);
    if (!key.endsWith(`.${this.#type}`)) return undefined;
    const known = this.#instances.get(key);
    if (ttl === 0) {
      if (known !== undefined) this.#remove(key, known);
      return undefined;
    }
    const fqdn = data.replace(/\.$/, '');
    const instance = known?.fqdn === fqdn ? known : this.#named(fqdn, known);
    instance.expiresAt = expiry(ttl, now);
    this.#instances.delete(key);
    this.#instances.set(key, instance);
    if (this.#instances.size > MAX_SERVICES) {
      const [oldest, gone] = this.#instances.entries().next().value!;
      this.#remove(oldest, gone);
    }
    return instance;
  }

  /** To DNS the names of two UIDs that differ in capital letters only are one: the one that was announced last counts. */
  #named(fqdn: string, known: Instance | undefined): Instance {
    if (known !== undefined) this.#gone(known);
    return { ...known, name: fqdn.slice(0, -this.#type.length - 1), fqdn, expiresAt: 0 };
  }

  /** `services`: how many each host has. */
  #service({ name, data, ttl }: DnsRecord, now: number, services: Map<string, number>): Instance | undefined {
    const instance = this.#instances.get(keyOf(name));
    if (instance === undefined) return undefined;
    const { target, port } = (data ?? {}) as { readonly target?: unknown; readonly port?: unknown };
    const isFit = typeof target === 'string' && target !== '' && isName(target);
    const isGone = ttl === 0 || !isFit || typeof port !== 'number' || port === 0;
    const host = isGone ? '' : keyOf(target);
    const before = instance.service?.host;
    if (!isGone && host !== before && countOf(services, host) >= MAX_SERVICES_OF_HOST) return undefined;
    if (before !== undefined) services.set(before, countOf(services, before) - 1);
    if (!isGone) services.set(host, countOf(services, host) + 1);
    instance.service = isGone ? undefined : { host, port, expiresAt: expiry(ttl, now) };
    return instance;
  }

  #servicesByHost(): Map<string, number> {
    const services = new Map<string, number>();
    for (const { service } of this.#instances.values())
      if (service !== undefined) services.set(service.host, countOf(services, service.host) + 1);
    return services;
  }

  #txt({ name, data, ttl }: DnsRecord): Instance | undefined {
    const instance = this.#instances.get(keyOf(name));
    if (instance === undefined || ttl === 0) return undefined;
    const strings = Array.isArray(data) ? data.filter((each) => each instanceof Uint8Array) : [];
    instance.txt = { txt: readTxt(strings) };
    return instance;
  }

  /**
   * A packet that tells addresses of a host tells all of that family: those it had before are gone. Gives the hosts of which
   * something is new.
   */
  #addresses(records: readonly DnsRecord[], now: number): ReadonlySet<string> {
    const wanted = new Set<string>();
    for (const { service } of this.#instances.values()) if (service !== undefined) wanted.add(service.host);
    const told = new Map<string, string[]>();
    const before = new Map<string, string>();
    for (const { name, type, data, ttl } of records) {
      const host = keyOf(name);
      if ((type !== 'A' && type !== 'AAAA') || typeof data !== 'string' || !wanted.has(host)) continue;
      const family = told.get(`${type} ${host}`) ?? [];
      told.set(`${type} ${host}`, family);
      if (ttl !== 0 && family.length < MAX_ADDRESSES) family.push(data);
      const known = this.#hosts.get(host) ?? { expiresAt: 0, addresses: { A: [], AAAA: [] } };
      if (!before.has(host)) before.set(host, textOf(known));
      known.addresses[type] = family;
      known.expiresAt = Math.max(known.expiresAt, expiry(ttl, now));
      this.#hosts.set(host, known);
    }
    for (const host of this.#hosts.keys()) if (!wanted.has(host)) this.#hosts.delete(host);
    return new Set([...before].flatMap(([host, text]) => (textOf(this.#hosts.get(host)!) === text ? [] : host)));
  }

  /** Tells of it when it is whole and new; gives what to ask for when it is not whole. */
  #tell(instance: Instance, now: number): readonly DnsQuestion[] {
    const { name, fqdn, service, txt, told } = instance;
    // It may have had to make room in the same packet.
    if (this.#instances.get(keyOf(fqdn)) !== instance) return [];
    const { A, AAAA } = (service && this.#hosts.get(service.host))?.addresses ?? { A: [], AAAA: [] };
    const addresses = [...A, ...AAAA].slice(0, MAX_ADDRESSES);
    if (service === undefined || txt === undefined || addresses.length === 0) {
      this.#gone(instance);
      return missingOf(fqdn, service?.host, addresses.length, txt !== undefined);
    }
    const { host, port } = service;
    const text = JSON.stringify([host, port, addresses, txt.txt && [...txt.txt]]);
    instance.isLate = text !== told && !this.#telling.take(now);
    if (text !== told && !instance.isLate) {
      instance.told = text;
      this.#hear({ kind: 'up', service: { name, host, addresses, port, txt: txt.txt } });
    }
    return [];
  }

  #remove(key: string, instance: Instance): void {
    this.#instances.delete(key);
    this.#gone(instance);
  }

  #gone(instance: Instance): void {
    if (instance.told === undefined) return;
    instance.told = undefined;
    this.#hear({ kind: 'down', name: instance.name });
  }
}

function missingOf(fqdn: string, host: string | undefined, addresses: number, hasTxt: boolean): DnsQuestion[] {
  const missing: DnsQuestion[] = hasTxt ? [] : [{ name: fqdn, type: 'TXT' }];
  if (host === undefined) missing.push({ name: fqdn, type: 'SRV' });
  else if (addresses === 0) missing.push({ name: host, type: 'A' });
  return missing;
}

/** One that can be asked for. What was no UTF-8 has grown. */
const isName = (name: string): boolean =>
  Buffer.byteLength(name) <= MAX_NAME && name.split('.').every((label) => Buffer.byteLength(label) <= MAX_LABEL);
const countOf = (counts: ReadonlyMap<string, number>, host: string): number => counts.get(host) ?? 0;
const textOf = ({ addresses: { A, AAAA } }: Host): string => [...A, ...AAAA].join();
const keyOf = (name: string): string => name.toLowerCase().replace(/\.$/, '');
const isSame = (one: string, other: string): boolean => keyOf(one) === keyOf(other);
const expiry = (ttl: number | undefined, now: number): number => now + Math.min(MAX_TTL_S, ttl ?? 0) * 1_000;
