import { ConfigurationError, InternalError } from '../protocol/errors.js';
import { type BaseOptions, type RunningBase, startBase } from './base.js';
import { announceRunning, withdrawRunning } from './config/running-file.js';
import type { CommandRequest } from './core/command-request.js';
import type { ConnectionRecord } from './core/connection.js';
import type { Outcome } from './core/messages.js';
import type { BaseState, BaseStatus } from './core/status.js';
import { Topics } from './core/topics.js';
import type { UnitView } from './core/unit-view.js';
import { uuid } from './core/uuid.js';
import type { Handler } from './dialects/handler.js';
import { checkHandler } from './load-handlers.js';
import { selfCheck } from './self-check.js';
import { shutdownTimes } from './shutdown-times.js';
import { SystemdNotify } from './systemd-notify.js';
import { untilStopped } from './until-stopped.js';
import { Watchdog } from './watchdog.js';

/** A command as a program asks for it: without an id it gets one, and who asks is `program`. */
export type ProgramCommand = Omit<CommandRequest, 'id' | 'source'> & Partial<Pick<CommandRequest, 'id' | 'source'>>;

export type BaseProgramOptions = Omit<BaseOptions, 'signal' | 'handlers' | 'failed' | 'topics'>;

/** A base as a program of one's own has it: made, extended, run. `createBase` gives one. */
export class Base {
  /** What happens on connections, and what the process takes; subscribe at any time. */
  readonly topics: Topics;
  readonly #options: BaseProgramOptions;
  readonly #handlers: Handler[] = [];
  readonly #abort = new AbortController();
  #starting: Promise<this> | undefined;
  #running: RunningBase | undefined;
  #stopping: Promise<void> | undefined;
  /** Called when the base cannot go on by itself. */
  #failed: () => void = () => {};

  constructor(options: BaseProgramOptions) {
    this.#options = options;
    this.topics = new Topics(options.log.child({ part: 'topics' }));
  }

  get state(): BaseState {
    return this.#running?.state ?? 'created';
  }

  /** Of the configuration. */
  get name(): string {
    return this.#options.configuration.name;
  }

  /** How long a stop may take, in ms. */
  get shutdownMs(): number {
    return shutdownTimes(this.#options.configuration.shutdownTimeoutMs).allMs;
  }

  /** Of the HTTP API; `undefined` without an `http` section, or when it does not run. */
  get apiUrl(): string | undefined {
    return this.#running?.apiUrl;
  }

  /** Of the connector's HTTP API, or of the status API in its place; `undefined` where there is none, or it does not run. */
  get connectorUrl(): string | undefined {
    return this.#running?.connectorUrl;
  }

  /** Of the embedded hub; `undefined` without a `hub` section, or when it does not run. */
  get hub(): RunningBase['hub'] {
    return this.#running?.hub;
  }

  /** Serves a protocol of your own. Throws ConfigurationError `config-invalid` once it is started, or for a name that cannot be. */
  use(handler: Handler): this {
    if (this.#starting !== undefined || this.#stopping !== undefined)
      throw new ConfigurationError('config-invalid', 'a handler is to be given to the base before it starts');
    checkHandler(handler, this.#handlers);
    this.#handlers.push(handler);
    return this;
  }

  /**
   * Resolves when units and centrals are served. Rejects, everything undone, when a part cannot start, with
   * ConfigurationError for a port that is taken; with InternalError `stopped` when the signal aborts first. Called again it
   * gives the same; a base that was stopped does not start again.
   */
  start(signal?: AbortSignal): Promise<this> {
    this.#starting ??= this.#start(signal);
    return this.#starting;
  }

  /** Ends everything, within `shutdownTimeoutS`; `state` says how. May be called twice, and while it starts. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * For a program that is nothing but a base: starts, stays until SIGINT or SIGTERM, stops, and sets the exit code: 0, or 1
   * when the stop was forced or the base could not go on. A second signal ends the process at once.
   */
  async run(): Promise<void> {
    const { log } = this.#options;
    let hasFailed = false;
    await untilStopped(
      async (signal, ask) => {
        this.#failed = () => {
          hasFailed = true;
          ask();
        };
        await this.start(signal);
        const leave = await this.#tellSystemd();
        return async () => {
          leave();
          await this.stop();
        };
      },
      {
        forceMs: this.shutdownMs,
        forced: (why) => log.error({ state: 'stopped', why }, 'the stop was forced'),
      },
    );
    process.exitCode = hasFailed || this.state === 'stopped' ? 1 : 0;
  }

  /** Tells a unit to do something. As the HTTP API does; resolves with the command's one outcome. */
  async command({ id, source, ...request }: ProgramCommand): Promise<Outcome> {
    const { random } = this.#options;
    return this.#router.command({ ...request, id: id ?? uuid(random), source: source ?? 'program' });
  }

  units(): readonly UnitView[] {
    return this.#router.list();
  }

  unit(uid: string): UnitView | undefined {
    return this.#router.get(uid);
  }

  /** Who is connected, with figures. */
  connections(): readonly ConnectionRecord[] {
    return this.#served.connections.list();
  }

  status(): BaseStatus {
    return this.#served.status();
  }

  /** Where systemd has started it and wants to know: that it runs, that it is well, and, by what is given back, that it stops. */
  async #tellSystemd(): Promise<() => void> {
    const { clock, log } = this.#options;
    const systemd = new SystemdNotify({ environment: process.env, pid: process.pid, log });
    const { watchdogMs: withinMs } = systemd;
    const watchdog =
      withinMs &&
      new Watchdog({
        withinMs,
        check: (signal) => selfCheck(this.#served, signal),
        isWell: () => systemd.tell('WATCHDOG=1'),
        clock,
        log,
      });
    await systemd.tell('READY=1', `STATUS=${this.name}: ${this.units().length} units`);
    if (watchdog) watchdog.start();
    return () => {
      if (watchdog) watchdog.stop();
      // Not waited for: the units come first.
      void systemd.tell('STOPPING=1', 'STATUS=stopping');
    };
  }

  get #served(): RunningBase {
    if (this.#running === undefined) throw new InternalError('stopped', 'the base does not run: start it first');
    return this.#running;
  }

  get #router(): RunningBase['router'] {
    return this.#served.router;
  }

  async #start(signal: AbortSignal | undefined): Promise<this> {
    const { configuration, stateFolder, version, clock, log } = this.#options;
    if (this.#stopping !== undefined) throw new InternalError('stopped', 'the base was stopped');
    const running = await startBase({
      ...this.#options,
      handlers: this.#handlers,
      topics: this.topics,
      signal: signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]),
      failed: () => this.#failed(),
    });
    this.#running = running;
    const { apiUrl: url, connectorUrl: connector, router } = running;
    if (url !== undefined)
      announceRunning(stateFolder, { pid: process.pid, url, startedAt: clock.now(), configFile: configuration.file });
    log.info(
      { name: configuration.name, version, api: url, connector, units: router.list().length, state: stateFolder },
      'the base runs',
    );
    return this;
  }

  async #stop(): Promise<void> {
    const { log, stateFolder } = this.#options;
    this.#abort.abort();
    // One whose start failed has undone everything by itself.
    await this.#starting?.catch(() => {});
    if (this.#running === undefined) return;
    log.info({}, 'stopping');
    withdrawRunning(stateFolder, process.pid);
    await this.#running.stop();
    log.info({ state: this.state }, 'stopped');
  }
}
