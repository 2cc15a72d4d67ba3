import type { PayloadBlock } from '../../../protocol/iotsocket/transmission.js';
import { CircuitBreaker, FAILURES_TO_OPEN, PROBE_EVERY_MS } from '../../core/circuit-breaker.js';
import type { Clock } from '../../core/clock.js';
import { type Log, peerText } from '../../core/log.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { webhookBody } from './http-payload.js';
import type { Posted, WebhookPost } from './webhook-post.js';

/** Sent at once; one of each object, so that its values arrive in their order. */
export const TELEMETRY_CONNECTIONS = 4;
/** What waits while the central is slow: of datagrams at their usual rates some seconds, and little memory. */
export const MAX_TELEMETRY_ITEMS = 1_000;
export const MAX_TELEMETRY_OCTETS = 4 * 1024 * 1024;
/** Answers that are about the base and not about the item: trying the next at once would give the same. */
const FAILING_STATUSES: ReadonlySet<number> = new Set([401, 403, 408, 425, 429]);

interface Item {
  readonly uid: string;
  readonly block: PayloadBlock;
}

/** Since the start. */
export interface TelemetryCounts {
  readonly delivered: number;
  /** The central has it, and answered that it does not want it. */
  readonly refused: number;
  /** Sent, and not known to have arrived. */
  readonly failed: number;
  /** The oldest that made room for newer ones, what a central that keeps failing was spared, and what a stop found. */
  readonly dropped: number;
  /** Payloads that are not what their format says. */
  readonly notValid: number;
}

/**
 * Telemetry to the central's webhook: once each, in order for each object, at most {@link TELEMETRY_CONNECTIONS} at once.
 * Telemetry may be lost: nothing is tried again, and past the bound the oldest goes. A central that fails
 * {@link FAILURES_TO_OPEN} times in a row is left alone, but for one probe in {@link PROBE_EVERY_MS}.
 */
export class TelemetryWebhook {
  readonly #post: WebhookPost;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #trouble: TroubleLog;
  readonly #breaker = new CircuitBreaker();
  /** The oldest first. */
  readonly #waiting = new Set<Item>();
  readonly #sending = new Set<string>();
  readonly #counts = { delivered: 0, refused: 0, failed: 0, dropped: 0, notValid: 0 };
  #octets = 0;
  #isStopped = false;

  constructor(post: WebhookPost, clock: Clock, log: Log) {
    this.#post = post;
    this.#clock = clock;
    this.#log = log;
    this.#trouble = new TroubleLog(log);
  }

  get counts(): TelemetryCounts {
    return { ...this.#counts };
  }

  get waiting(): { readonly items: number; readonly octets: number } {
    return { items: this.#waiting.size, octets: this.#octets };
  }

  /** Takes a copy. */
  send(uid: string, block: PayloadBlock): void {
    if (this.#isStopped || this.#isSpared()) {
      this.#counts.dropped += 1;
      return;
    }
    this.#add({ uid, block: { ...block, data: block.data.slice() } });
    // While one of its own is under way this changes nothing for any other.
    if (!this.#sending.has(uid)) this.#pump();
  }

  /** What waits is dropped, what is under way is cut. May be called twice. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#dropAll();
    await this.#post.stop();
  }

  /** It fails all the time, and it is not yet time for a probe, or one is under way. */
  #isSpared(): boolean {
    const { isOpen, probeAt } = this.#breaker;
    return isOpen && (this.#clock.monotonic() < probeAt || this.#sending.size > 0);
  }

  #add(item: Item): void {
    this.#waiting.add(item);
    this.#octets += item.block.data.length;
    while (this.#waiting.size > MAX_TELEMETRY_ITEMS || this.#octets > MAX_TELEMETRY_OCTETS) {
      const [oldest] = this.#waiting;
      this.#take(oldest!);
      this.#counts.dropped += 1;
      this.#trouble.warn('full', {}, 'the telemetry webhook is too slow: the oldest telemetry is dropped');
    }
  }

  #take(item: Item): void {
    this.#waiting.delete(item);
    this.#octets -= item.block.data.length;
  }

  #dropAll(): void {
    this.#counts.dropped += this.#waiting.size;
    this.#waiting.clear();
    this.#octets = 0;
  }

  #pump(): void {
    for (const item of this.#waiting) {
      if (this.#sending.size >= TELEMETRY_CONNECTIONS) return;
      if (this.#sending.has(item.uid)) continue;
      this.#take(item);
      void this.#send(item);
    }
  }

  /** Never rejects. */
  async #send({ uid, block }: Item): Promise<void> {
    const body = webhookBody(uid, block);
    if (body === undefined) {
      this.#counts.notValid += 1;
      this.#trouble.warn('payload', { uid: peerText(uid) }, 'telemetry is not what its format says');
      return;
    }
    this.#sending.add(uid);
    this.#judge(await this.#post.send(body));
    this.#sending.delete(uid);
    if (this.#breaker.isOpen) this.#dropAll();
    else this.#pump();
  }

  #judge(posted: Posted): void {
    if (this.#isStopped) {
      this.#counts.failed += 1;
      return;
    }
    const isDelivered = posted.kind === 'answer' && posted.status >= 200 && posted.status < 300;
    if (isDelivered) this.#counts.delivered += 1;
    if (posted.kind === 'answer' && (isDelivered || isOfItem(posted.status))) {
      if (!isDelivered) this.#refused(posted.status);
      if (this.#breaker.isOpen) this.#log.info({}, 'the telemetry webhook takes telemetry again');
      this.#breaker.succeeded();
      return;
    }
    this.#counts.failed += 1;
    const reason = posted.kind === 'none' ? posted.reason : `answered ${posted.status}`;
    const wasOpen = this.#breaker.isOpen;
    this.#breaker.failed(this.#clock.monotonic());
    if (this.#breaker.isOpen && !wasOpen)
      this.#log.warn(
        { reason },
        `the telemetry webhook failed ${FAILURES_TO_OPEN} times in a row: telemetry is dropped, but for one probe in ${PROBE_EVERY_MS / 1_000} s`,
      );
  }

  #refused(status: number): void {
    this.#counts.refused += 1;
    this.#trouble.warn(`status ${status}`, { status }, 'the telemetry webhook refused telemetry');
  }
}

/** One object whose telemetry the central cannot take must not cost the others theirs: that says nothing of the central. */
function isOfItem(status: number): boolean {
  return status === 500 || (status >= 400 && status < 500 && !FAILING_STATUSES.has(status));
}
