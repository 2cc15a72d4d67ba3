import type { Clock } from '../../core/clock.js';
import { delay } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import { GOODBYE_MS } from '../../links/link-session.js';
import type { PendingCarrier } from '../handler.js';
import { RefusalLog } from '../refusal-log.js';
import { type ClientHost, ClientSession } from './client-session.js';
import { FlowCounts } from './flow-counts.js';
import type { FlowRules } from './flow-rules.js';
import { Flows } from './flows.js';
import { SlowClients } from './slow-clients.js';
import { Turn } from './turn.js';
import { UnfinishedMessages } from './unfinished.js';
import type { YamqttLimits } from './yamqtt-limits.js';

export interface ClientsOptions {
  readonly limits: YamqttLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** All clients that are connected, and what they share. */
export class Clients implements ClientHost {
  readonly limits: YamqttLimits;
  readonly clock: Clock;
  readonly counts = new FlowCounts();
  readonly turn = new Turn();
  readonly flows: Flows;
  readonly slow: SlowClients;
  readonly unfinished: UnfinishedMessages;
  /** What publications tell units to do. To be set before the first client comes. */
  rules: FlowRules | undefined;
  readonly #refusals: RefusalLog;
  readonly #errors: RefusalLog;
  readonly #sessions = new Set<ClientSession>();
  #isStopping = false;
  #whenEmpty: (() => void) | undefined;

  constructor({ limits, clock, log }: ClientsOptions) {
    this.limits = limits;
    this.clock = clock;
    this.flows = new Flows(limits, this.counts);
    this.slow = new SlowClients(limits);
    this.unfinished = new UnfinishedMessages(clock, limits.messageMs);
    this.#refusals = new RefusalLog(clock, log, 'a message of a client was refused');
    this.#errors = new RefusalLog(clock, log, 'a client tells of an error');
  }

  get size(): number {
    return this.#sessions.size;
  }

  take(pending: PendingCarrier): void {
    if (this.#isStopping) return pending.carrier.destroy();
    const session = new ClientSession(this, pending);
    this.#sessions.add(session);
    session.start();
  }

  /** What was published before still reaches those who take it; then their connections are closed, after 2 s at the latest. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const session of this.#sessions) session.leave();
    if (this.#sessions.size > 0) await this.#gone();
    for (const session of this.#sessions) session.cut();
    this.unfinished.stop();
  }

  // For a session.

  refused(remote: string, reason: string): void {
    this.#refusals.refused(remote, reason);
  }

  errorOfClient(remote: string, text: string): void {
    this.#errors.refused(remote, text);
  }

  gone(session: ClientSession): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#whenEmpty?.();
  }

  async #gone(): Promise<void> {
    const isGone = new AbortController();
    this.#whenEmpty = () => isGone.abort();
    await delay(this.clock, GOODBYE_MS, isGone.signal).catch(() => {});
  }
}
