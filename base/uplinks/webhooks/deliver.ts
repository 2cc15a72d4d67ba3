import type { Dispatcher } from 'undici';
import type { Clock } from '../../core/clock.js';
import { exchange } from '../../links/http-exchange.js';
import { type Attempt, type AttemptResult, attempt } from '../outbox/attempt.js';
import { signWebhook } from './standard-webhook.js';

/** One attempt, from its first octet to its answer's last (reference/limits.md, Webhook). */
export const TOTAL_TIMEOUT_MS = 15_000;
/** A receiver may ask us to wait, but not for ever: the longest wait of our own schedule. */
export const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;

export interface StandardDeliveryOptions {
  readonly url: string;
  readonly secret: string;
  /** Signs too, while the receiver may still have that one only. */
  readonly previousSecret?: string | undefined;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
}

/** One attempt as Standard Webhooks says: signed anew each time, redirects are failures, 410 ends the endpoint. */
export function standardDelivery(options: StandardDeliveryOptions): Attempt {
  const { clock, secret, previousSecret } = options;
  const secrets = previousSecret === undefined ? secret : [secret, previousSecret];
  return (item, signal) =>
    attempt(async () => {
      const answer = await exchange({
        dispatcher: options.dispatcher,
        clock,
        url: options.url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'baseunit',
          ...signWebhook(secrets, item.id, Math.floor(clock.now() / 1000), item.body),
        },
        body: item.body,
        timeoutMs: TOTAL_TIMEOUT_MS,
        signal,
      });
      if (answer.status === 410) return { kind: 'gone', reason: 'answered 410' };
      return judge(answer.status, answer.retryAfter, clock);
    });
}

/** What a status means where nothing is known of the receiver: 2xx is delivered, all else may pass. */
export function judge(status: number, retryAfter: string | undefined, clock: Clock): AttemptResult {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const isRedirect = status >= 300 && status < 400;
  const reason = `answered ${status}${isRedirect ? ', and redirects are not followed' : ''}`;
  const retryAfterMs = parseRetryAfter(retryAfter, clock.now());
  return { kind: 'failed', reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** `Retry-After`, seconds or an HTTP date, in ms from now; undefined when it is neither. Capped at {@link MAX_RETRY_AFTER_MS}. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const waitMs = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), MAX_RETRY_AFTER_MS);
}
