import type { QueueItem } from '../../core/queue.js';

/** How one attempt ended. `failed`: try again. `rejected`: never again this item. `gone`: never again this receiver. */
export type AttemptResult =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'gone'; readonly reason: string };

/** Makes one attempt. Never rejects. */
export type Attempt = (item: QueueItem, signal: AbortSignal) => Promise<AttemptResult>;

/** Runs an attempt and turns what it throws into a failure. */
export async function attempt(make: () => Promise<AttemptResult>): Promise<AttemptResult> {
  try {
    return await make();
  } catch (error) {
    return { kind: 'failed', reason: error instanceof Error ? error.message : 'failed' };
  }
}
