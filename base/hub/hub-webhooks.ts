import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import type { HubApp, HubWebhookOptions } from './app.js';
import type { HubLimits } from './hub-limits.js';
import { LeaveDelay } from './leave-delay.js';
import type { WebhookEvent } from './webhook-events.js';
import { webhookPoster } from './webhook-post.js';
import { PARALLEL_POSTS, WebhookQueue } from './webhook-queue.js';

export interface HubWebhooksOptions {
  readonly app: HubApp;
  readonly limits: HubLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Receiver {
  readonly wants: (event: WebhookEvent) => boolean;
  readonly queue: WebhookQueue;
  readonly close: () => Promise<void>;
}

/** Tells an app's webhooks what happens on its channels (`reference/pusher.md` 1.8). */
export class HubWebhooks {
  readonly #receivers: readonly Receiver[];
  readonly #leaving: LeaveDelay;

  constructor({ app, limits, clock, random, log }: HubWebhooksOptions) {
    this.#leaving = new LeaveDelay(clock, limits.leaveDelayMs, limits.pendingLeaves);
    this.#receivers = app.webhooks.map((hook) => {
      const { post, close } = webhookPoster(hook.url, app, PARALLEL_POSTS);
      const queue = new WebhookQueue({
        clock,
        random,
        // Not the whole address: people put tokens into it.
        log: log.child({ webhook: new URL(hook.url).host }),
        post,
        isBatch: hook.batch === true,
        maxEvents: limits.webhookQueue,
        retryMs: limits.webhookRetryMs,
      });
      return { wants: (event) => isWanted(event, hook, app), queue, close };
    });
  }

  /** A channel got its first subscriber. Not told when its vacancy was not told either. */
  occupied(channel: string): void {
    if (this.#isUseful && !this.#leaving.returned(channel)) this.tell({ name: 'channel_occupied', channel });
  }

  /** A channel lost its last subscriber. Told after the delay, unless one comes. */
  vacated(channel: string): void {
    if (this.#isUseful) this.#leaving.left(channel, () => this.tell({ name: 'channel_vacated', channel }));
  }

  memberAdded(channel: string, userId: string): void {
    if (this.#isUseful && !this.#leaving.returned(memberKey(channel, userId)))
      this.tell({ name: 'member_added', channel, user_id: userId });
  }

  memberRemoved(channel: string, userId: string): void {
    if (!this.#isUseful) return;
    const tell = (): void => this.tell({ name: 'member_removed', channel, user_id: userId });
    this.#leaving.left(memberKey(channel, userId), tell);
  }

  tell(event: WebhookEvent): void {
    for (const { wants, queue } of this.#receivers) if (wants(event)) queue.push(event);
  }

  /** May be called twice. */
  async stop(): Promise<void> {
    this.#leaving.stop();
    await Promise.all(
      this.#receivers.map(async ({ queue, close }) => {
        await queue.stop();
        await close();
      }),
    );
  }

  get #isUseful(): boolean {
    return this.#receivers.length > 0;
  }
}

function isWanted(event: WebhookEvent, hook: HubWebhookOptions, app: HubApp): boolean {
  if (hook.events !== undefined) return hook.events.includes(event.name);
  return event.name !== 'subscription_count' || app.subscriptionCount;
}

/** A channel's name has no blank in it, so no channel is mistaken for a member. */
function memberKey(channel: string, userId: string): string {
  return `${channel} ${userId}`;
}
