import type { EventEmitter } from 'node:events';
import { hostname, networkInterfaces } from 'node:os';
import { Bonjour } from 'bonjour-service';
import type { Timer } from '../../core/clock.js';
import { peerText } from '../../core/log.js';
import { SaidOnce } from '../../core/said-once.js';
import { TokenBucket } from '../../core/token-bucket.js';
import { backOff } from '../../links/back-off.js';
import type { Advertised, Mdns, MdnsEvent, MdnsOptions } from '../mdns.js';
import { AttachedNetworks } from './attached-networks.js';
import { type AnsweringServer, boundAnswers } from './bound-answers.js';
import { containedSocket } from './contained-socket.js';
import { type DnsQuestion, type DnsRecord, RecordCache } from './record-cache.js';

/** Datagrams that are looked at: a house of a hundred devices sends some tens a second, and a burst when all are asked. */
const DATAGRAMS = { perSecond: 100, burst: 2_000 } as const;
/** RFC 6762 §17: of one datagram, with its headers. */
const MAX_DATAGRAM = 9_000;
/** Questions that what others announce can make us send. */
const QUESTIONS = { perSecond: 20, burst: 100 } as const;
/** In one packet. */
const MAX_QUESTIONS = 20;
/** Everybody is asked at once, after 1 s, 2 s, 4 s …, then so often (RFC 6762 §5.2): half the life of what names a host. */
const ASK_MOST_MS = 60_000;
const ASK_FIRST_MS = 1_000;
const EXPIRE_EVERY_MS = 1_000;

/** What of multicast-dns below bonjour-service is used. */
interface MulticastDns extends EventEmitter {
  query(questions: readonly DnsQuestion[]): void;
}
interface Packet {
  readonly answers: readonly DnsRecord[];
  readonly additionals: readonly DnsRecord[];
}

interface Browsing {
  readonly cache: RecordCache;
  nextMs: number;
  dueAt: number;
}

/**
 * mDNS by `bonjour-service`, without anything installed. It announces with it; what others announce it reads from the
 * library's packets itself, since the library's own browser misses a device that changes its address, one that goes
 * without a word, and records that come apart, and keeps whatever it is sent.
 */
export class BonjourMdns implements Mdns {
  readonly library = 'bonjour-service';
  readonly #options: MdnsOptions;
  readonly #browsings = new Set<Browsing>();
  readonly #advertised: Advertised[] = [];
  readonly #datagrams: TokenBucket;
  readonly #questions: TokenBucket;
  readonly #networks = new AttachedNetworks(networkInterfaces);
  readonly #said = new SaidOnce();
  #delays: Generator<number, never>;
  #bonjour: Bonjour | undefined;
  #again: Timer | undefined;
  #tick: Timer | undefined;
  #isClosed = false;

  constructor(options: MdnsOptions) {
    this.#options = options;
    const now = options.clock.monotonic();
    this.#datagrams = new TokenBucket(DATAGRAMS, now);
    this.#questions = new TokenBucket(QUESTIONS, now);
    this.#delays = backOff(options.random);
  }

  start(): this {
    this.#open();
    this.#look();
    return this;
  }

  browse(type: string, hear: (event: MdnsEvent) => void): () => void {
    const cache = new RecordCache(type, hear);
    const browsing = { cache, nextMs: ASK_FIRST_MS, dueAt: this.#options.clock.monotonic() };
    this.#browsings.add(browsing);
    this.#ask();
    return () => this.#browsings.delete(browsing);
  }

  advertise(service: Advertised): void {
    this.#advertised.push(service);
    if (this.#bonjour !== undefined) publish(this.#bonjour, service);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#again?.cancel();
    this.#tick?.cancel();
    this.#browsings.clear();
    const bonjour = this.#bonjour;
    this.#bonjour = undefined;
    if (bonjour === undefined) return;
    await new Promise<void>((resolve) => bonjour.unpublishAll(() => resolve()));
    await destroyed(bonjour);
  }

  #open(): void {
    const { interface: name, clock } = this.#options;
    const address = name === undefined ? undefined : addressOf(name);
    if (name !== undefined && address === undefined)
      return this.#failed(new Error(`the network interface ${name} has no IPv4 address`));
    const socket = containedSocket({
      accepts: ({ address }) =>
        this.#networks.has(address, clock.monotonic()) && this.#datagrams.take(clock.monotonic()),
      maxOctets: MAX_DATAGRAM,
      failed: (error) => this.#say('a datagram', error, 'a datagram of the network was not understood; said once'),
    });
    // Bound to an address of its own the socket would hear no multicast.
    const options = { socket, bind: '0.0.0.0', ...(address && { interface: address }) };
    const bonjour = new Bonjour(options as ConstructorParameters<typeof Bonjour>[0], () => {});
    this.#bonjour = bonjour;
    boundAnswers(serverOf(bonjour), clock);
    const dns = serverOf(bonjour).mdns;
    dns.on('error', (error: Error) => {
      if (this.#bonjour !== bonjour) return;
      this.#bonjour = undefined;
      void destroyed(bonjour);
      this.#failed(error);
    });
    dns.on('ready', () => {
      this.#said.forget('open');
      this.#delays = backOff(this.#options.random);
      for (const browsing of this.#browsings)
        Object.assign(browsing, { nextMs: ASK_FIRST_MS, dueAt: clock.monotonic() });
      this.#ask();
    });
    dns.on('response', (packet: Packet) => this.#heard(packet));
    for (const service of this.#advertised) publish(bonjour, service);
  }

  #failed(error: Error): void {
    this.#say('open', error, 'discovery does not reach the network; trying again, said once');
    if (this.#isClosed) return;
    this.#again = this.#options.clock.after(this.#delays.next().value, () => this.#open());
  }

  #heard({ answers, additionals }: Packet): void {
    const now = this.#options.clock.monotonic();
    const records = [...answers, ...additionals];
    const missing = [...this.#browsings].flatMap(({ cache }) => cache.take(records, now));
    const asked = missing.filter(() => this.#questions.take(now));
    for (let from = 0; from < asked.length; from += MAX_QUESTIONS) this.#send(asked.slice(from, from + MAX_QUESTIONS));
  }

  #look(): void {
    const { clock } = this.#options;
    for (const { cache } of this.#browsings) cache.expire(clock.monotonic());
    this.#ask();
    if (!this.#isClosed) this.#tick = clock.after(EXPIRE_EVERY_MS, () => this.#look());
  }

  #ask(): void {
    const now = this.#options.clock.monotonic();
    for (const browsing of this.#browsings) {
      if (browsing.dueAt > now) continue;
      this.#send([browsing.cache.question]);
      browsing.dueAt = now + browsing.nextMs;
      browsing.nextMs = Math.min(ASK_MOST_MS, 2 * browsing.nextMs);
    }
  }

  #send(questions: readonly DnsQuestion[]): void {
    if (this.#bonjour !== undefined) serverOf(this.#bonjour).mdns.query(questions);
  }

  #say(subject: string, { message }: Error, text: string): void {
    const reason = peerText(message);
    if (this.#said.isNew(subject, reason)) this.#options.log.warn({ reason }, text);
  }
}

/** The library shows it to nobody; without it an error of its socket would end the process. */
const serverOf = (bonjour: Bonjour): AnsweringServer & { readonly mdns: MulticastDns } =>
  (bonjour as unknown as { readonly server: AnsweringServer & { readonly mdns: MulticastDns } }).server;

function publish(bonjour: Bonjour, { type, name, port, txt }: Advertised): void {
  const [, service = ''] = /^_(.+)\._tcp$/.exec(type) ?? [];
  const [host] = hostname().split('.');
  // Its own probe would only print that the name is taken; ours has the machine's name in it.
  bonjour.publish({ name, type: service, protocol: 'tcp', port, txt, host: `${host}.local`, probe: false });
}

function destroyed(bonjour: Bonjour): Promise<void> {
  return new Promise((resolve) => {
    try {
      bonjour.destroy(() => resolve());
    } catch {
      // Its socket was closed already.
      resolve();
    }
  });
}

const addressOf = (name: string): string | undefined =>
  networkInterfaces()[name]?.find(({ family }) => family === 'IPv4')?.address;
