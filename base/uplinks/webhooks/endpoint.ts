import type { Clock, Timer } from '../../core/clock.js';
import type { Log } from '../../core/log.js';
import type { Random } from '../../core/random.js';
import { TroubleLog } from '../trouble-log.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { Deliver, DeliveryResult } from './deliver.js';
import type { NewItem, Outbox, OutboxItem } from './outbox.js';
import { retryDelays } from './retry-schedule.js';

/** Attempts at once (reference/limits.md, Webhook); one of each key, which the outbox sees to. */
export const MAX_PARALLEL = 4;
/** An endpoint that answered nothing right for so long is given up (reference/limits.md, Webhook). */
export const DISABLE_AFTER_MS = 5 * 24 * 60 * 60 * 1_000;
/** How long `stop` lets attempts in flight end: within Ctrl-C's 5 s. */
export const STOP_GRACE_MS = 2_000;
/** Drops between two lines about them. */
const SAY_EVERY_DROPS = 1_000;

export interface EndpointOptions {
  /** What the log calls it; no secret in it. */
  readonly label: string;
  readonly deliver: Deliver;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface EndpointStatus {
  readonly label: string;
  readonly state: 'working' | 'failing' | 'disabled';
  readonly waiting: number;
  readonly delivered: number;
  /** Dropped because the outbox was full. */
  readonly dropped: number;
  /** Given up after the whole schedule, rejected, or refused because the endpoint is disabled. */
  readonly givenUp: number;
}

/** One receiver: sends what its outbox holds, retries, leaves it alone when it keeps failing. Shares nothing with another. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #log: Log;
  readonly #say: TroubleLog;
  readonly #breaker = new CircuitBreaker();
  readonly #abort = new AbortController();
  readonly #inFlight = new Set<Promise<void>>();
  #state: 'running' | 'disabled' | 'stopped' = 'running';
  #timer: Timer | undefined;
  #notBefore = Number.NEGATIVE_INFINITY;
  #delivered = 0;
  #dropped = 0;
  #givenUp = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#log = options.log.child({ endpoint: options.label });
    this.#say = new TroubleLog(this.#log);
  }

  get status(): EndpointStatus {
    return {
      label: this.#options.label,
      state: this.#state === 'disabled' ? 'disabled' : this.#breaker.failingSince === undefined ? 'working' : 'failing',
      waiting: this.#options.outbox.count,
      delivered: this.#delivered,
      dropped: this.#dropped,
      givenUp: this.#givenUp,
    };
  }

  /** Takes it into the outbox. After `stop`, and when the endpoint is disabled, it is only counted. */
  add(item: NewItem): void {
    if (this.#state !== 'running') {
      this.#givenUp += 1;
      return;
    }
    for (const { id } of this.#options.outbox.add(item)) {
      this.#dropped += 1;
      if (this.#dropped % SAY_EVERY_DROPS === 1)
        this.#log.warn({ id, dropped: this.#dropped }, 'outbox full, the oldest was dropped');
    }
    this.#pump();
  }

  /** Lets attempts in flight end, for at most 2 s; what still waits is forgotten unless the outbox keeps it. */
  async stop(): Promise<void> {
    const isFirst = this.#state === 'running';
    if (isFirst) this.#state = 'stopped';
    this.#timer?.cancel();
    if (this.#inFlight.size > 0) {
      const grace = this.#options.clock.after(STOP_GRACE_MS, () => this.#abort.abort());
      await Promise.all(this.#inFlight);
      grace.cancel();
    }
    const waiting = this.#options.outbox.count;
    if (isFirst && waiting > 0) this.#log.warn({ waiting }, 'stopped with events that were not delivered');
  }

  #pump(): void {
    this.#timer?.cancel();
    if (this.#state !== 'running') return;
    const now = this.#options.clock.monotonic();
    for (let next = this.#next(now); next !== undefined; next = this.#next(now)) {
      const sending = this.#send(next.item, next.isEarly);
      this.#inFlight.add(sending);
      void sending.finally(() => {
        this.#inFlight.delete(sending);
        this.#pump();
      });
    }
    this.#sleep(now);
  }

  #next(now: number): { item: OutboxItem; isEarly: boolean } | undefined {
    const { outbox } = this.#options;
    if (now < this.#notBefore || this.#inFlight.size >= MAX_PARALLEL) return undefined;
    if (this.#breaker.isOpen && (this.#inFlight.size > 0 || now < this.#breaker.probeAt)) return undefined;
    const due = outbox.take(now);
    if (due !== undefined) return { item: due, isEarly: false };
    const early = this.#breaker.isOpen ? outbox.takeEarly() : undefined;
    return early && { item: early, isEarly: true };
  }

  #sleep(now: number): void {
    const dueAt = this.#options.outbox.nextDueAt();
    // in flight: their end pumps again
    if (dueAt === undefined || this.#inFlight.size >= MAX_PARALLEL) return;
    if (this.#breaker.isOpen && this.#inFlight.size > 0) return;
    const at = Math.max(this.#breaker.isOpen ? this.#breaker.probeAt : dueAt, this.#notBefore);
    if (at > now) this.#timer = this.#options.clock.after(at - now, () => this.#pump());
  }

  async #send(item: OutboxItem, isEarly: boolean): Promise<void> {
    const result = await this.#options.deliver(item, this.#abort.signal);
    const now = this.#options.clock.monotonic();
    switch (result.kind) {
      case 'delivered':
        this.#delivered += 1;
        this.#options.outbox.remove(item.position);
        return this.#reached(now);
      case 'rejected':
        this.#say.warn(`rejected ${result.reason}`, { id: item.id, reason: result.reason }, 'not accepted, given up');
        this.#givenUp += 1;
        this.#options.outbox.remove(item.position);
        return this.#reached(now);
      case 'gone':
        return this.#disable(result.reason);
      case 'failed':
        return this.#failed(item, isEarly, result, now);
    }
  }

  #reached(now: number): void {
    if (this.#breaker.isOpen) {
      this.#log.info({ waiting: this.#options.outbox.count }, 'reachable again');
      this.#options.outbox.hurry(now);
    }
    this.#breaker.succeeded();
    this.#say.forget('failing');
  }

  #failed(item: OutboxItem, isEarly: boolean, result: DeliveryResult & { kind: 'failed' }, now: number): void {
    // stopped: the attempt was cut short by us, and says nothing about the endpoint
    const { outbox, random } = this.#options;
    if (this.#abort.signal.aborted) {
      outbox.putBack(item.position);
      return;
    }
    const { reason } = result;
    this.#say.warn('failing', { id: item.id, reason }, 'not delivered, will be tried again');
    this.#breaker.failed(now);
    if (result.retryAfterMs !== undefined) this.#notBefore = Math.max(this.#notBefore, now + result.retryAfterMs);
    if (now - (this.#breaker.failingSince ?? now) >= DISABLE_AFTER_MS) this.#disable('failing for 5 days');
    else if (isEarly) outbox.putBack(item.position);
    else {
      const next = retryDelays(random, item.attempts + 1).next();
      if (next.done) this.#giveUp(item, reason);
      else outbox.retry(item.position, now + next.value);
    }
  }

  #giveUp(item: OutboxItem, reason: string): void {
    this.#givenUp += 1;
    this.#log.error({ id: item.id, reason, attempts: item.attempts + 1 }, 'given up after the whole schedule');
    this.#options.outbox.remove(item.position);
  }

  #disable(reason: string): void {
    if (this.#state === 'disabled') return;
    this.#state = 'disabled';
    const forgotten = this.#options.outbox.clear();
    this.#givenUp += forgotten;
    this.#log.error({ reason, forgotten }, 'endpoint disabled until the base starts again; check its url');
  }
}
