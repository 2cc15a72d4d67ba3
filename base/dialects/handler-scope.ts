import { setMaxListeners } from 'node:events';
import { InternalError } from '../../protocol/errors.js';
import type { AddressBook } from '../core/address-book.js';
import type { Unsubscribe } from '../core/bus.js';
import type { Clock, Timer } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Connections } from '../core/connections.js';
import type { Log } from '../core/log.js';
import { logLevels, type Outcome, type Report } from '../core/messages.js';
import type { Random } from '../core/random.js';
import type { Router } from '../core/router.js';
import type { Carrier } from '../links/carrier.js';
import { Certificates } from '../links/certificates.js';
import type { LinkTable } from '../links/link-table.js';
import { TcpListener } from '../links/tcp-listener.js';
import type { UnitDialer } from '../links/unit-dialer.js';
import { MAX_UNPROVED, MAX_UNPROVED_PER_ADDRESS } from '../links/unproved.js';
import { ContainedCarrier } from './contained-carrier.js';
import type { ConnectionBounds, Handler, HandlerContext, Listening, PendingCarrier, ServedUnit } from './handler.js';
import type { HandlerFaults } from './handler-faults.js';
import { HandlerKept } from './handler-kept.js';
import { HandlerUnits } from './handler-units.js';

/** Names of what one handler counts, and their length; more are not counted. Each is a line in the metrics. */
export const MAX_COUNTS = 64;
const MAX_COUNT_CHARACTERS = 64;
/** A connection that has proved nothing so long after it came is closed (reference/limits.md, "TCP pre-auth"). */
export const PROOF_MS = 20_000;

export interface HandlerScopeOptions {
  readonly handler: Handler;
  /** Units of the configuration. */
  readonly units: readonly ServedUnit[];
  readonly router: Router;
  readonly addresses: AddressBook;
  readonly connections: Connections;
  readonly command: (request: CommandRequest) => Promise<Outcome>;
  readonly dialer: UnitDialer;
  readonly links: LinkTable;
  readonly faults: HandlerFaults;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * What one handler has of the base: its context, within its bounds, and everything that was begun through it, so that nothing
 * of it is left when the handler has ended.
 */
export class HandlerScope {
  readonly #counts = new Map<string, number>();
  readonly #options: HandlerScopeOptions;
  readonly #stop = new AbortController();
  readonly #kept: HandlerKept;
  readonly #units: HandlerUnits;
  readonly #carriers = new Set<ContainedCarrier>();
  /** One that is left would keep the process from ending; one that sets the next one would go on for ever. */
  readonly #timers = new Set<Timer>();
  /** Each ends one thing that lives as long as the handler. */
  readonly #begun = new Set<() => Promise<void> | void>();
  #isOver = false;

  constructor(options: HandlerScopeOptions) {
    this.#options = options;
    const { router, handler } = options;
    this.#kept = new HandlerKept(router.kept, handler.name, handler.limits?.keptOctets);
    this.#units = new HandlerUnits(options);
    // Every link of the handler listens to this one signal; Node warns past ten.
    setMaxListeners(0, this.#stop.signal);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** What it has counted, and counts by itself. */
  allCounts(): Readonly<Record<string, number>> {
    return this.#figures('counts', this.#counts);
  }

  /** What it has at this moment. */
  allGauges(): Readonly<Record<string, number>> {
    return this.#figures('gauges', []);
  }

  /** The handler is to end. */
  abort(): void {
    this.#stop.abort(stopped());
  }

  /**
   * The handler has ended, or is waited for no longer: nothing of it goes on. `reason`: what its units are offline for from
   * now on; absent where the whole base ends.
   */
  async end(reason?: string): Promise<void> {
    if (this.#isOver) return;
    const { router, connections, handler, units } = this.#options;
    this.#isOver = true;
    this.abort();
    this.#units.end();
    for (const carrier of this.#carriers) carrier.destroy();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    connections.handlerEnded(handler.name);
    if (reason !== undefined)
      for (const uid of [...this.#units.added, ...units.map((unit) => unit.uid)])
        router.presence(uid, { state: 'offline', reason });
    await Promise.allSettled([...this.#begun].map(async (end) => end()));
  }

  /** All of a handler's context but `ready`. Functions, not methods: handlers take them out of it. */
  context(): Omit<HandlerContext, 'ready'> {
    const { handler, units: configured, router, addresses, connections, random, log, faults } = this.#options;
    const units = this.#units;
    return {
      units: configured,
      clock: this.#clock(),
      random,
      log,
      signal: this.signal,
      dial: (...dialling) => this.#dial(...dialling),
      placesOf: (uid) => addresses.placesOf(uid),
      met: (uid, address) => (units.isOwn(uid) ? addresses.met(uid, address) : undefined),
      onFound: (hear) =>
        this.#until(
          addresses.onFound((uid) => {
            if (units.isOwn(uid)) faults.contain('onFound', () => hear(uid));
          }),
        ),
      accept: (...accepting) => this.#accept(...accepting),
      // No two handlers serve one unit, so that one does not wait for a name that another took.
      claimLink: (uid, signal) => this.#options.links.claim(`${handler.name}/${uid}`, signal),
      connected: (input) => {
        const isOurs = !this.#isOver && (router.handlerOf(input.unit) === undefined || units.has(input.unit));
        return isOurs ? connections.opened(input, handler.name) : connections.unlisted(input, handler.name);
      },
      report: (report) => units.report(report),
      hello: (hello) => {
        if (units.has(hello.uid)) return router.hello(hello);
        throw new InternalError('internal', 'a hello of a unit that is not of this handler');
      },
      presence: (uid, change) => units.presence(uid, change),
      seen: (uid) => {
        if (units.has(uid)) router.seen(uid);
      },
      onForgotten: (hear) =>
        this.#until(
          router.hearForgotten((uid) => {
            if (units.isOwn(uid)) faults.contain('onForgotten', () => hear(uid));
          }),
        ),
      logLine: (uid, { level, text }) => {
        const known = logLevels.includes(level) ? level : 'info';
        if (units.has(uid)) router.logLine(uid, { level: known, text: String(text) });
      },
      onCommand: (uid, deliver) => {
        const contained = units.delivering((_uid, delivery) => deliver(delivery));
        if (units.has(uid)) router.onCommand(uid, (delivery) => contained(uid, delivery));
      },
      refused: (uid) => {
        if (units.has(uid)) router.refused(uid);
      },
      count: (event, by) => this.#count(event, by),
      addUnit: (unit, deliver) => units.add(unit, deliver),
      removeUnit: (uid, reason) => units.remove(uid, reason),
      knownUnits: () => router.absentOf(handler.name),
      request: (uid, payload) => units.request(uid, payload),
      response: (id, uid, code, payload) => units.response(id, uid, code, payload),
      wants: (kind) => router.wants(kind),
      command: (request) => (this.#isOver ? Promise.reject(stopped()) : this.#options.command(request)),
      typedUnit: (uid) => router.definitionOf(uid),
      hear: (kind, hear) => {
        const contained = (report: Report): void => faults.contain('hear', () => hear(report));
        return this.#until(kind === 'report' ? router.hearTyped(contained) : router.hearTelemetry(contained));
      },
      keep: (items) => this.#kept.keep(this.#isOver ? [] : items),
      unkeep: (positions) => this.#kept.unkeep(this.#isOver ? [] : positions),
      kept: () => this.#kept.take(),
      records: {
        all: () => (this.#isOver ? [] : router.records.of(handler.name)),
        put: async (record) => {
          if (this.#isOver) throw stopped();
          await router.records.put(handler.name, record, handler.limits?.records);
        },
        erase: async (key) => {
          if (this.#isOver) throw stopped();
          await router.records.erase(handler.name, key);
        },
      },
    };
  }

  /** At the latest when the handler has ended. */
  #until(leave: Unsubscribe): Unsubscribe {
    if (this.#isOver) leave();
    else this.#begun.add(leave);
    return () => {
      this.#begun.delete(leave);
      leave();
    };
  }

  #clock(): Clock {
    const { clock, faults } = this.#options;
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (delayMs, call) => {
        if (this.#isOver) return noTimer;
        const timer = clock.after(delayMs, () => {
          this.#timers.delete(timer);
          faults.contain('a timer', call);
        });
        this.#timers.add(timer);
        return {
          cancel: () => {
            this.#timers.delete(timer);
            timer.cancel();
          },
        };
      },
    };
  }

  async #dial(...[address, signal = this.signal, options]: Parameters<HandlerContext['dial']>): Promise<Carrier> {
    if (this.signal.aborted) throw stopped();
    const carrier = this.#contained(await this.#options.dialer.dial(address, signal, options));
    if (!this.#isOver) return carrier;
    carrier.destroy();
    throw stopped();
  }

  async #accept(
    ...[address, take, { tls, bounds = {} } = {}]: Parameters<HandlerContext['accept']>
  ): Promise<Listening> {
    const { clock, log } = this.#options;
    if (this.signal.aborted) throw stopped();
    const certificates = tls && new Certificates({ files: tls, clock, log });
    await certificates?.start();
    const secure = certificates && { certificates, clock };
    const {
      connections,
      unproved: inAll = MAX_UNPROVED,
      unprovedPerAddress: perAddress = MAX_UNPROVED_PER_ADDRESS,
    } = bounds;
    const options = { tls: secure, maxAccepted: connections, unproved: { inAll, perAddress } };
    const listener = new TcpListener(log, (pending) => this.#take(pending, take, bounds), options);
    const close = async (): Promise<void> => {
      this.#begun.delete(close);
      certificates?.stop();
      await listener.close();
    };
    this.#begun.add(close);
    try {
      const got = await listener.listen(address);
      if (!this.#isOver) return { address: got, close };
    } catch (error) {
      await close();
      throw error;
    }
    await close();
    throw stopped();
  }

  #take(
    { carrier, proved }: PendingCarrier,
    take: (pending: PendingCarrier) => void,
    bounds: Partial<ConnectionBounds>,
  ): void {
    const { clock, faults } = this.#options;
    const { proveMs = PROOF_MS } = bounds;
    const late = Number.isFinite(proveMs) ? clock.after(proveMs, () => contained.destroy()) : undefined;
    const contained = this.#contained(carrier, () => late?.cancel(), bounds);
    const pending: PendingCarrier = {
      carrier: contained,
      proved: () => {
        late?.cancel();
        proved();
      },
    };
    faults.contain(
      'take',
      () => take(pending),
      () => contained.destroy(),
    );
  }

  #contained(carrier: Carrier, closed?: () => void, bounds?: Partial<ConnectionBounds>): ContainedCarrier {
    const { faults, clock } = this.#options;
    const over = (each: ContainedCarrier): void => {
      this.#carriers.delete(each);
      closed?.();
    };
    const contained = new ContainedCarrier({ carrier, faults, clock, over, bounds });
    this.#carriers.add(contained);
    return contained;
  }

  /** What the handler says of itself, beside what is known already. */
  #figures(what: 'counts' | 'gauges', known: Iterable<readonly [string, number]>): Readonly<Record<string, number>> {
    const { handler, faults } = this.#options;
    const all = new Map(known);
    faults.contain(what, () => {
      for (const [name, value] of Object.entries(handler[what]?.() ?? {}))
        if (isFitCount(name, all) && Number.isFinite(value)) all.set(name, value);
    });
    return Object.fromEntries(all);
  }

  #count(event: string, by = 1): void {
    const counts = this.#counts;
    const sofar = counts.get(event);
    if (!Number.isFinite(by)) return;
    if (sofar !== undefined) counts.set(event, sofar + by);
    else if (isFitCount(event, counts)) counts.set(event, by);
  }
}

const isFitCount = (event: string, counts: ReadonlyMap<string, number>): boolean =>
  typeof event === 'string' && event.length <= MAX_COUNT_CHARACTERS && counts.size < MAX_COUNTS;

const noTimer: Timer = { cancel() {} };

const stopped = (): InternalError => new InternalError('stopped', 'the handler has ended, or the base is stopping');
