import { setMaxListeners } from 'node:events';
import { networkAddress, type UnitAddress } from '../../../base/core/address.js';
import { AddressBook } from '../../../base/core/address-book.js';
import type { CommandRequest } from '../../../base/core/command-request.js';
import type { Connections } from '../../../base/core/connections.js';
import type { CoreMessage, Outcome } from '../../../base/core/messages.js';
import { Outboxes } from '../../../base/core/outboxes.js';
import { Router } from '../../../base/core/router.js';
import type { ReportVerdict } from '../../../base/core/unit-events.js';
import type { Handler, HandlerContext, PendingCarrier, ServedUnit } from '../../../base/dialects/handler.js';
import { MemoryBus } from '../../../base/engine/embedded/memory-bus.js';
import { LinkTable } from '../../../base/links/link-table.js';
import type { TcpDialer } from '../../../base/links/tcp-dialer.js';
import { LinkError } from '../../../protocol/errors.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { memoryConnections } from '../../support/memory-connections.js';
import { MemoryStore } from '../../support/memory-store.js';
import { QuietLog } from '../../support/quiet-log.js';
import { MemoryCarrier } from './memory-carrier.js';

/** A dialect on a real router and a clock advanced by hand, over carriers without a network. */
export class DialectRig {
  readonly clock = new ManualClock();
  readonly log = new QuietLog();
  /** Where units are, as discovery has it. */
  readonly addresses = new AddressBook();
  /** What the dialect counted. */
  readonly counts = new Map<string, number>();
  readonly heard: CoreMessage[] = [];
  readonly router: Router;
  readonly connections: Connections;
  readonly table = new LinkTable();
  /** What was dialled, oldest first. */
  readonly dialled: MemoryCarrier[] = [];
  isReachable = true;
  /** Hosts where nobody answers. */
  readonly away = new Set<string>();
  /** What is served. */
  handler: Handler | undefined;
  /** In place of carriers without a network: a real dialer. */
  dialer: Pick<TcpDialer, 'dial'> | undefined;
  readonly store = new MemoryStore();
  /** In place of the router's verdict. */
  verdict: (() => Promise<ReportVerdict>) | undefined;
  readonly #stop = new AbortController();
  readonly #random = { octets: (count: number) => new Uint8Array(count).fill(9), fraction: () => 0.5 };
  #take: ((pending: PendingCarrier) => void) | undefined;
  #running: Promise<void> | undefined;

  constructor() {
    setMaxListeners(0, this.#stop.signal);
    const bus = new MemoryBus(this.log);
    for (const kind of ['report', 'command', 'outcome', 'presence', 'log'] as const)
      bus.subscribe(kind, (message) => void this.heard.push(message));
    const { clock, log, store: memory } = this;
    this.connections = memoryConnections({ clock, random: this.#random, log });
    this.router = new Router({ bus, store: memory, outboxes: new Outboxes(), clock, random: this.#random, log });
  }

  async start(dialect: Handler, units: readonly ServedUnit[]): Promise<void> {
    this.handler = dialect;
    for (const unit of units) this.router.add(unit);
    await new Promise<void>((ready, failed) => {
      this.#running = dialect.listen(this.#context(units, ready)).catch(failed);
    });
    await settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.router.stop();
    await this.#running;
  }

  /** A unit dials in. */
  connect(remote = '10.0.0.9:40000'): { readonly carrier: MemoryCarrier; isProved: boolean } {
    const connection = { carrier: new MemoryCarrier(remote), isProved: false };
    this.#take!({
      carrier: connection.carrier,
      proved: () => {
        connection.isProved = true;
      },
    });
    return connection;
  }

  command(request: Partial<CommandRequest>): Promise<Outcome> {
    return this.router.command({
      id: `c${this.heard.length}`,
      unit: 'lamp',
      command: 'setColor',
      source: 'test',
      ...request,
    });
  }

  of<K extends CoreMessage['kind']>(kind: K): Extract<CoreMessage, { kind: K }>[] {
    return this.heard.filter((message): message is Extract<CoreMessage, { kind: K }> => message.kind === kind);
  }

  presence(): string[] {
    return this.of('presence').map(({ state, reason }) => (reason === undefined ? state : `${state}: ${reason}`));
  }

  warnings(): string[] {
    return this.log.lines
      .filter(({ level }) => level === 'warn')
      .map(({ message, fields }) => `${message} ${fields.reason ?? ''}`.trim());
  }

  #context(units: readonly ServedUnit[], ready: () => void): HandlerContext {
    for (const { uid, address } of units) this.addresses.configure(uid, address);
    const { router, clock, log } = this;
    return {
      units,
      clock,
      random: this.#random,
      log,
      signal: this.#stop.signal,
      ready,
      placesOf: (uid) => this.addresses.placesOf(uid),
      met: (uid, address) => this.addresses.met(uid, address),
      onFound: (hear) => this.addresses.onFound(hear),
      dial: (where: UnitAddress, signal: AbortSignal) => {
        const address = networkAddress(where)!;
        if (this.dialer !== undefined) return this.dialer.dial(address, signal);
        if (!this.isReachable || this.away.has(address.host))
          return Promise.reject(new LinkError('connect-failed', `${address.host} is not there`));
        const carrier = new MemoryCarrier(`${address.host}:${address.port}`);
        this.dialled.push(carrier);
        return Promise.resolve(carrier);
      },
      accept: (address, take) => {
        this.#take = take;
        return Promise.resolve({ address, close: () => Promise.resolve() });
      },
      claimLink: (uid, signal) => this.table.claim(uid, signal),
      report: (report) => (this.verdict === undefined ? router.report(report) : this.verdict()),
      hello: (hello) => router.hello(hello),
      presence: (uid, change) => router.presence(uid, change),
      logLine: (uid, line) => router.logLine(uid, line),
      onCommand: (uid, deliver) => router.onCommand(uid, deliver),
      refused: (uid) => router.refused(uid),
      count: (event, by = 1) => void this.counts.set(event, (this.counts.get(event) ?? 0) + by),
      connected: (connection) => this.connections.opened(connection, 'test'),
      addUnit: (unit, deliver) => router.addOpaque({ ...unit, dialect: 'test' }, deliver),
      knownUnits: () => router.absentOf('test'),
      removeUnit: (uid, reason) => router.remove(uid, reason),
      request: (uid, payload) => router.request(uid, payload),
      response: (id, uid, code, payload) => router.response(id, uid, code, payload),
      wants: (kind) => router.wants(kind),
      command: (request) => router.command(request),
      typedUnit: (uid) => router.definitionOf(uid),
      hear: (kind, hear) => (kind === 'report' ? router.hearTyped(hear) : router.hearTelemetry(hear)),
      keep: (items) => router.kept.keep(items),
      unkeep: (positions) => router.kept.unkeep(positions),
      kept: () => router.kept.take(),
      seen: (uid) => router.seen(uid),
      onForgotten: (hear) => router.hearForgotten(hear),
      records: {
        all: () => router.records.of('test'),
        put: (record) => router.records.put('test', record),
        erase: (key) => router.records.erase('test', key),
      },
    };
  }
}
