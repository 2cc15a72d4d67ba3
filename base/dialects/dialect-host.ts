import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.js';
import type { CommandRequest } from '../core/command-request.js';
import type { Log } from '../core/log.js';
import type { Outcome } from '../core/messages.js';
import type { Random } from '../core/random.js';
import type { Router } from '../core/router.js';
import { LinkTable } from '../links/link-table.js';
import { TcpDialer } from '../links/tcp-dialer.js';
import { TcpListener } from '../links/tcp-listener.js';
import type { Dialect, DialectContext, ServedUnit } from './dialect.js';

/** How long dialects may take to let go of their links when the base stops. */
const STOP_MS = 3_000;

export interface DialectHostOptions {
  readonly router: Router;
  /** How a central's commands are carried out; they may wait until units are served. Default: by the router. */
  readonly command?: ((request: CommandRequest) => Promise<Outcome>) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Runs dialects: gives each its context, contains what it throws, ends it. All of them share one dialer and one link table. */
export class DialectHost {
  readonly #options: DialectHostOptions;
  readonly #stop = new AbortController();
  readonly #dialer: TcpDialer;
  readonly #links = new LinkTable();
  readonly #running: Promise<void>[] = [];
  readonly #listeners = new Set<TcpListener>();

  constructor(options: DialectHostOptions) {
    this.#options = options;
    this.#dialer = new TcpDialer(options.clock);
    // Every link of the base listens to this one signal; Node warns past ten.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Begins to serve these units with this dialect. Rejects when it ends before it listens, as with a port that is taken. */
  start(dialect: Dialect, units: readonly ServedUnit[]): Promise<void> {
    const log = this.#options.log.child({ dialect: dialect.name });
    return new Promise((resolve, reject) => {
      const running = dialect
        .listen({ ...this.#context(log, units), ready: resolve })
        .catch((error: Error) => {
          if (!this.#stop.signal.aborted)
            log.error({ error: error.message }, 'the dialect ended; its units are not served');
          reject(error);
        })
        .then(resolve);
      this.#running.push(running);
    });
  }

  /** Ends all of them: units are told, links are closed. May be called twice. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const late = clock.after(STOP_MS, resolve);
      void Promise.allSettled(this.#running).then(() => {
        late.cancel();
        resolve();
      });
    });
    await Promise.allSettled([...this.#listeners].map((listener) => listener.close()));
  }

  #context(log: Log, units: readonly ServedUnit[]): Omit<DialectContext, 'ready'> {
    const { router, command = (request) => router.command(request), clock, random } = this.#options;
    return {
      units,
      clock,
      random,
      log,
      signal: this.#stop.signal,
      dial: (address, signal, options) => this.#dialer.dial(address, signal, options),
      accept: async (address, take) => {
        const listener = new TcpListener(log, take);
        const got = await listener.listen(address);
        this.#listeners.add(listener);
        return {
          address: got,
          close: async () => {
            this.#listeners.delete(listener);
            await listener.close();
          },
        };
      },
      claimLink: (uid, signal) => this.#links.claim(uid, signal),
      report: (report) => router.report(report),
      hello: (hello) => router.hello(hello),
      presence: (uid, change) => router.presence(uid, change),
      logLine: (uid, line) => router.logLine(uid, line),
      onCommand: (uid, deliver) => router.onCommand(uid, deliver),
      refused: (uid) => router.refused(uid),
      addUnit: ({ uid }, deliver) => router.addOpaque({ uid, dialect: 'iotsocket' }, deliver),
      removeUnit: (uid, reason) => router.remove(uid, reason),
      request: (uid, payload) => router.request(uid, payload),
      response: (id, uid, code, payload) => router.response(id, uid, code, payload),
      wants: (kind) => router.wants(kind),
      command,
      typedUnit: (uid) => router.definitionOf(uid),
      hear: (_kind, hear) => router.hearTyped(hear),
      keep: (items) => router.kept.keep(items),
      unkeep: (positions) => router.kept.unkeep(positions),
      kept: () => router.kept.take(),
    };
  }
}
