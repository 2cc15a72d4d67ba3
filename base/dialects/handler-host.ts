import { BaseUnitError, ConfigurationError, InternalError, TimeoutError } from '../../protocol/errors.js';
import { AddressBook } from '../core/address-book.js';
import { type Clock, delay } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Connections } from '../core/connections.js';
import { type Deferred, deferred } from '../core/deferred.js';
import { type Log, peerText } from '../core/log.js';
import type { Outcome } from '../core/messages.js';
import type { Random } from '../core/random.js';
import type { Router } from '../core/router.js';
import type { HandlerStatus } from '../core/status.js';
import { thrownError } from '../core/thrown-error.js';
import { LinkTable } from '../links/link-table.js';
import { UnitDialer } from '../links/unit-dialer.js';
import { type Handler, handlerName, type ServedUnit } from './handler.js';
import { HandlerFaults } from './handler-faults.js';
import { HandlerScope } from './handler-scope.js';

/** How long a handler may take until it is ready: ports are taken and files are read by then. */
export const START_MS = 30_000;
/** How long handlers may take to let go of their links when the base stops, unless it says another time. */
const STOP_MS = 3_000;

export interface HandlerHostOptions {
  readonly router: Router;
  /** Where configured units are. Default: where the configuration says. */
  readonly addresses?: AddressBook | undefined;
  readonly connections: Connections;
  /** How a central's commands are carried out; they may wait until units are served. Default: by the router. */
  readonly command?: ((request: CommandRequest) => Promise<Outcome>) | undefined;
  /** How long a stop may take. Default 3 s. */
  readonly stopMs?: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Running {
  readonly handler: Handler;
  readonly log: Log;
  readonly faults: HandlerFaults;
  readonly scope: HandlerScope;
  /** Settled when it is ready, or never will be. */
  readonly started: Deferred<void>;
  state: HandlerStatus['state'];
  /** Resolves when it has ended. */
  ended: Promise<void>;
}

/**
 * Runs handlers: gives each what it has of the base (handler-scope.ts), contains what it throws, ends it. All of them share
 * one dialer and one link table.
 */
export class HandlerHost {
  readonly #options: HandlerHostOptions;
  readonly #addresses: AddressBook;
  readonly #dialer: UnitDialer;
  readonly #links = new LinkTable();
  readonly #running = new Map<string, Running>();
  #stopping: Promise<void> | undefined;

  constructor(options: HandlerHostOptions) {
    this.#options = options;
    this.#addresses = options.addresses ?? new AddressBook();
    this.#dialer = new UnitDialer(options.clock);
  }

  /**
   * Begins to serve these units with this handler. Rejects when it ends before it is ready: with what it threw, if that is an
   * error of ours, as of a port that is taken, else with ConfigurationError `handler-failed`; with TimeoutError
   * `start-timeout` when it is not ready within 30 s; with InternalError `stopped`.
   */
  async start(handler: Handler, units: readonly ServedUnit[]): Promise<void> {
    const { name } = handler;
    if (this.#stopping !== undefined) throw new InternalError('stopped', 'stopped while starting');
    if (!handlerName.test(name) || this.#running.has(name)) throw unfitName(name);
    const running = this.#run(handler, units);
    this.#running.set(name, running);
    const late = this.#options.clock.after(START_MS, () => this.#isLate(running));
    await running.started.promise.finally(() => late.cancel());
  }

  /** In the order of their start. */
  status(): readonly HandlerStatus[] {
    return Array.from(this.#running.values(), ({ handler, state, faults, scope }) => {
      const [counts, gauges] = [scope.allCounts(), scope.allGauges()];
      const { last } = faults;
      return {
        name: handler.name,
        state,
        faults: faults.count,
        ...(last === undefined ? {} : { lastFault: last }),
        counts,
        gauges,
      };
    });
  }

  /** Ends all of them: units are told, links are closed. May be called twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  #run(handler: Handler, units: readonly ServedUnit[]): Running {
    const { router, connections, command = (request) => router.command(request), clock, random } = this.#options;
    const log = this.#options.log.child({ dialect: handler.name });
    const faults = new HandlerFaults(log);
    const [addresses, dialer, links] = [this.#addresses, this.#dialer, this.#links];
    for (const { uid, address } of units) addresses.configure(uid, address);
    const parts = { router, addresses, connections, command, dialer, links, faults, clock, random, log };
    const scope = new HandlerScope({ handler, units, ...parts });
    const started = deferred<void>();
    const running: Running = { handler, log, faults, scope, started, state: 'starting', ended: Promise.resolve() };
    const ready = (): void => {
      if (running.state !== 'starting') return;
      running.state = 'running';
      started.resolve();
    };
    // What it throws before its first wait is no different from what it throws later.
    running.ended = Promise.resolve()
      .then(() => handler.listen({ ...scope.context(), ready }))
      .then(
        () => this.#hasEnded(running),
        (thrown: unknown) => this.#hasFailed(running, thrown),
      );
    return running;
  }

  async #hasEnded(running: Running): Promise<void> {
    const { handler, log, scope, started } = running;
    const isAsked = scope.signal.aborted;
    const wasReady = running.state !== 'starting';
    if (running.state !== 'failed') running.state = wasReady || isAsked ? 'ended' : 'failed';
    const text = `the handler ${handler.name} ended before it called context.ready()`;
    started.reject(
      isAsked ? new InternalError('stopped', 'stopped while starting') : new ConfigurationError('handler-failed', text),
    );
    if (!isAsked) log.warn({}, 'the handler ended by itself; its units are not served');
    await scope.end(isAsked ? undefined : 'its handler has ended');
  }

  async #hasFailed(running: Running, thrown: unknown): Promise<void> {
    const { handler, faults, log, scope, started } = running;
    const error = thrownError(thrown);
    const reason = peerText(error.message);
    const isAsked = scope.signal.aborted;
    running.state = 'failed';
    faults.note(reason);
    if (!isAsked) log.error({ error: reason }, 'the handler ended; its units are not served');
    started.reject(error instanceof BaseUnitError ? error : failed(handler.name, reason, error));
    await scope.end(isAsked ? undefined : 'its handler has failed');
  }

  #isLate(running: Running): void {
    if (running.state !== 'starting') return;
    const { handler, faults, started, scope } = running;
    const text = `the handler ${handler.name} was not ready within ${START_MS / 1_000} s; it must call context.ready()`;
    running.state = 'failed';
    faults.note(text);
    started.reject(new TimeoutError('start-timeout', text));
    void scope.end();
  }

  async #stopAll(): Promise<void> {
    const { clock, stopMs = STOP_MS } = this.#options;
    const all = [...this.#running.values()];
    const from = clock.monotonic();
    // Who has nothing to say takes no newcomers from now on, and has more time for its links.
    for (const { handler, scope } of all) if (handler.stopping === undefined) scope.abort();
    const told = await within(clock, stopMs / 2, Promise.all(all.map((running) => this.#tellStopping(running))));
    if (!told)
      this.#options.log.warn({}, 'a handler took too long to say that the base stops; it is waited for no longer');
    for (const { scope } of all) scope.abort();
    const leftMs = Math.max(0, stopMs - (clock.monotonic() - from));
    await within(clock, leftMs, Promise.all(all.map(({ ended }) => ended)));
    await Promise.all(
      all.map(async ({ state, log, scope, started }) => {
        if (state === 'starting' || state === 'running')
          log.warn({}, 'the handler did not end in time; its connections are closed');
        started.reject(new InternalError('stopped', 'stopped while starting'));
        await scope.end();
      }),
    );
  }

  async #tellStopping({ handler, faults }: Running): Promise<void> {
    try {
      await handler.stopping?.();
    } catch (thrown) {
      faults.add('stopping', thrown);
    }
  }
}

const failed = (name: string, reason: string, cause: Error): ConfigurationError =>
  new ConfigurationError('handler-failed', `the handler ${name} failed before it was ready: ${reason}`, { cause });

const unfitName = (name: string): ConfigurationError =>
  new ConfigurationError(
    'config-invalid',
    `there is a handler named ${JSON.stringify(peerText(String(name)))} already, or that is no name for one: a letter, then at most 31 small letters, digits and "-"`,
  );

/** False: so much time is over, and it is not settled. */
async function within(clock: Clock, ms: number, settled: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = delay(clock, ms, over.signal).then(
    () => false,
    () => true,
  );
  const isSettled = await Promise.race([settled.then(() => true), late]);
  over.abort();
  return isSettled;
}
