import { type Clock, delay } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import type { WebhookEvent } from './webhook-events.js';
import type { PostWebhook } from './webhook-post.js';

export interface WebhookQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly post: PostWebhook;
  readonly isBatch: boolean;
  /** Events held at once; past it the oldest waiting one is dropped. */
  readonly maxEvents: number;
  readonly retryMs: number;
}

interface Delivery {
  /** Deliveries of one lane keep their order: a channel is never told vacated before occupied. */
  readonly lane: string;
  readonly events: readonly WebhookEvent[];
  readonly body: string;
  readonly since: number;
}

/** Requests under way at once, to one webhook. */
export const PARALLEL_POSTS = 4;
const POST_TIMEOUT_MS = 15_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
/** Each wait is up to a fifth shorter or longer, so that many do not come back together. */
const JITTER = 0.2;
/** How long a batch collects; long enough for what one client's arrival causes. */
const BATCH_MS = 200;
const EVENTS_PER_BATCH = 50;

/** Delivers the events of one webhook: at once, then with exponential back-off for five minutes. Kept in memory only. */
export class WebhookQueue {
  readonly #options: WebhookQueueOptions;
  readonly #waiting: { readonly event: WebhookEvent; readonly timeMs: number; readonly since: number }[] = [];
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #posts = new Set<AbortController>();
  #held = 0;
  #dropped = 0;
  #isCollecting = false;

  constructor(options: WebhookQueueOptions) {
    this.#options = options;
  }

  /** Events not yet delivered nor given up. */
  get held(): number {
    return this.#held;
  }

  push(event: WebhookEvent): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, isBatch, maxEvents } = this.#options;
    if (this.#held >= maxEvents && !this.#dropOldest()) return;
    this.#held += 1;
    this.#waiting.push({ event, timeMs: clock.now(), since: clock.monotonic() });
    if (isBatch) this.#collect();
    else this.#pump();
  }

  /** Gives up what is held, and waits for what is under way. May be called twice. */
  async stop(): Promise<void> {
    if (this.#held > 0 && !this.#stopping.signal.aborted)
      this.#options.log.warn({ events: this.#held }, 'webhook events are given up: the hub stops');
    this.#stopping.abort();
    for (const post of this.#posts) post.abort();
    this.#waiting.length = 0;
    await Promise.all(this.#lanes.values());
  }

  /** Lets a batch grow for a moment before it goes. */
  #collect(): void {
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    const done = (): void => {
      this.#isCollecting = false;
      this.#pump();
    };
    delay(this.#options.clock, BATCH_MS, this.#stopping.signal).then(done, () => {});
  }

  #dropOldest(): boolean {
    this.#dropped += 1;
    if (this.#dropped === 1)
      this.#options.log.warn({ held: this.#held }, 'webhook queue is full: its oldest events are dropped');
    // Nothing waits when everything held is being retried: then it is the newcomer that goes.
    if (this.#waiting.shift() === undefined) return false;
    this.#held -= 1;
    return true;
  }

  #pump(): void {
    while (this.#posts.size < PARALLEL_POSTS && !this.#stopping.signal.aborted) {
      const delivery = this.#options.isBatch ? this.#nextBatch() : this.#next();
      if (delivery === undefined) return;
      this.#lanes.set(delivery.lane, this.#deliver(delivery));
    }
  }

  #next(): Delivery | undefined {
    const index = this.#waiting.findIndex(({ event }) => !this.#lanes.has(event.channel));
    const [item] = index < 0 ? [] : this.#waiting.splice(index, 1);
    return item && delivery(item.event.channel, [item.event], item.timeMs, item.since);
  }

  #nextBatch(): Delivery | undefined {
    const [first] = this.#waiting;
    if (first === undefined || this.#isCollecting || this.#lanes.size > 0) return undefined;
    const items = this.#waiting.splice(0, EVENTS_PER_BATCH);
    return delivery(
      '',
      items.map(({ event }) => event),
      first.timeMs,
      first.since,
    );
  }

  async #deliver({ lane, events, body, since }: Delivery): Promise<void> {
    const { clock, random, log, retryMs } = this.#options;
    const signal = this.#stopping.signal;
    for (let retry = 0; !(await this.#post(body)); retry += 1) {
      const wait =
        Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** retry) * (1 - JITTER + 2 * JITTER * random.fraction());
      if (signal.aborted) break;
      if (clock.monotonic() + wait - since > retryMs) {
        log.warn({ events: events.map(({ name }) => name), tries: retry + 1 }, 'webhook events are given up');
        break;
      }
      await delay(clock, wait, signal).catch(() => {});
      if (signal.aborted) break;
    }
    this.#held -= events.length;
    if (this.#held === 0) this.#dropped = 0;
    this.#lanes.delete(lane);
    this.#pump();
  }

  async #post(body: string): Promise<boolean> {
    const post = new AbortController();
    const timer = this.#options.clock.after(POST_TIMEOUT_MS, () => post.abort());
    this.#posts.add(post);
    try {
      return await this.#options.post(body, post.signal);
    } catch (cause) {
      if (!this.#stopping.signal.aborted) this.#options.log.debug({ cause: String(cause) }, 'webhook not delivered');
      return false;
    } finally {
      timer.cancel();
      this.#posts.delete(post);
      this.#pump();
    }
  }
}

function delivery(lane: string, events: readonly WebhookEvent[], timeMs: number, since: number): Delivery {
  return { lane, events, body: JSON.stringify({ time_ms: timeMs, events }), since };
}
