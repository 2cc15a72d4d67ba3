import { setMaxListeners } from 'node:events';
import type { Agent } from 'undici';
import type { Clock } from '../../core/clock.js';
import { guardedLookup, type Resolve } from '../../links/guarded-lookup.js';
import { createAgent, exchange } from '../../links/http-exchange.js';
import { centralBearer } from './central-bearer.js';
import type { CentralWebhookOptions } from './iotsocket-options.js';

export interface WebhookPostOptions {
  readonly url: string;
  readonly webhooks: Pick<CentralWebhookOptions, 'ca' | 'allowPrivate'>;
  /** The central's key, 16 octets: it goes to `url` and nowhere else. */
  readonly key: Uint8Array;
  /** As many are sent at once at most; more would wait for each other. */
  readonly connections: number;
  /** What of an answer is read. */
  readonly maxAnswerOctets: number;
  /** From now until the answer's last octet. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** The addresses of the URL's host name. Default: as the system resolves it. */
  readonly resolve?: Resolve | undefined;
}

/** An answer, whatever its status; or why there was none. */
export type Posted =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Buffer; readonly isCut: boolean }
  | { readonly kind: 'none'; readonly reason: string };

/** Posts to one webhook of the central, over connections of its own: certificates checked, no redirects followed. */
export class WebhookPost {
  readonly #options: WebhookPostOptions;
  readonly #agent: Agent;
  readonly #ending = new AbortController();

  constructor(options: WebhookPostOptions) {
    this.#options = options;
    // Each that is under way listens to it.
    setMaxListeners(options.connections, this.#ending.signal);
    const { ca, allowPrivate } = options.webhooks;
    const lookup = guardedLookup({
      allowPrivate,
      option: 'iotsocket.central.webhooks.allowPrivate',
      resolve: options.resolve,
    });
    this.#agent = createAgent({ ca, connections: options.connections, lookup });
  }

  /** Never rejects. */
  async send(body: string): Promise<Posted> {
    const { url, key, clock, timeoutMs, maxAnswerOctets } = this.#options;
    try {
      const answer = await exchange({
        dispatcher: this.#agent,
        clock,
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'baseunit', authorization: centralBearer(key) },
        body,
        timeoutMs,
        maxAnswerOctets,
        signal: this.#ending.signal,
      });
      return { kind: 'answer', ...answer };
    } catch (error) {
      return { kind: 'none', reason: (error as Error).message };
    }
  }

  /** Cuts what is under way. May be called twice. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#agent.destroy();
  }
}
