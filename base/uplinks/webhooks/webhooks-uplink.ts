import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import type { OutboxView } from '../../core/outbox-port.js';
import type { Told, ToldKind } from '../../core/outboxes.js';
import type { QueueItem } from '../../core/queue.js';
import type { Random } from '../../core/random.js';
import { TroubleLog } from '../../core/trouble-log.js';
import { guardedLookup, type Resolve } from '../../links/guarded-lookup.js';
import { createAgent } from '../../links/http-exchange.js';
import { Endpoint, type EndpointOptions, MAX_PARALLEL } from '../outbox/endpoint.js';
import type { Uplink, UplinkContext } from '../uplink.js';
import { standardDelivery } from './deliver.js';
import { legacyDelivery, legacyPath } from './legacy-put.js';
import { webhookItem } from './webhook-events.js';
import {
  checkLegacy,
  checkWebhook,
  endpointLabel,
  type LegacyWebhookOptions,
  type WebhookOptions,
} from './webhook-options.js';

/** Readings of one unit that wait for the original dashboard; it shows the newest, so older ones make room. */
export const MAX_LEGACY_PER_UNIT = 16;
const LEGACY_QUEUE = 'dashboard';
/** Hexadecimal digits of a URL's hash: it names the queue, and the URL may hold a secret. */
const NAME_DIGITS = 12;

export interface WebhooksUplinkOptions {
  readonly webhooks?: readonly WebhookOptions[] | undefined;
  readonly legacy?: LegacyWebhookOptions | undefined;
  /** The addresses of a webhook's host name. Default: as the system resolves it. */
  readonly resolve?: Resolve | undefined;
}

/** Tells centrals by HTTP: the original dashboard's PUT (wire/iot-base.md) and Standard Webhooks. `start` throws ConfigurationError. */
export class WebhooksUplink implements Uplink {
  readonly name = 'webhooks';
  /** One for each receiver, in the order of the configuration, the original's last. */
  readonly queues: readonly string[];
  readonly #options: WebhooksUplinkOptions;
  readonly #agents: Agent[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #leave: (() => void)[] = [];

  constructor(options: WebhooksUplinkOptions) {
    this.#options = options;
    const { webhooks = [], legacy } = options;
    this.queues = [...queueNames(webhooks.map(({ url }) => url)), ...(legacy === undefined ? [] : [LEGACY_QUEUE])];
  }

  get outboxes(): readonly OutboxView[] {
    return this.#endpoints;
  }

  async start(context: UplinkContext): Promise<void> {
    const { webhooks = [], legacy } = this.#options;
    for (const [index, webhook] of webhooks.entries()) checkWebhook(webhook, index);
    if (legacy !== undefined) checkLegacy(legacy);
    const itemOf = oncePerMessage(context.random);
    for (const [index, webhook] of webhooks.entries()) await this.#startWebhook(context, webhook, index, itemOf);
    if (legacy !== undefined) await this.#startLegacy(context, legacy);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.stop()));
    for (const leave of this.#leave.splice(0)) leave();
    await Promise.all(this.#agents.splice(0).map((agent) => agent.destroy()));
  }

  async #startWebhook(
    context: UplinkContext,
    webhook: WebhookOptions,
    index: number,
    itemOf: (message: Told) => QueueItem,
  ): Promise<void> {
    const { clock } = context;
    const { url, secret, previousSecret, allowPrivate } = webhook;
    const guard = { allowPrivate, option: `webhooks[${index}].allowPrivate`, resolve: this.#options.resolve };
    const dispatcher = this.#agent(webhook.ca, guardedLookup(guard));
    const kinds: ReadonlySet<ToldKind> = new Set(webhook.events);
    await this.#startEndpoint(context, {
      label: endpointLabel(`webhook ${index}`, url),
      queue: context.queue(this.queues[index]!),
      kinds,
      itemOf: (message) => (kinds.has(message.kind) ? itemOf(message) : undefined),
      attempt: standardDelivery({ url, secret, previousSecret, dispatcher, clock }),
    });
  }

  async #startLegacy(context: UplinkContext, legacy: LegacyWebhookOptions): Promise<void> {
    const label = endpointLabel('original dashboard', legacy.url);
    const say = new TroubleLog(context.log.child({ endpoint: label }));
    const { url, token } = legacy;
    await this.#startEndpoint(context, {
      label,
      queue: context.queue(LEGACY_QUEUE),
      maxItemsPerKey: MAX_LEGACY_PER_UNIT,
      kinds: new Set(['report']),
      itemOf: (message) => {
        if (message.kind !== 'report') return undefined;
        const { id, unit } = message;
        const address = legacy.addressOf(unit);
        if (address === undefined) return undefined;
        const made = legacyPath(message, address);
        if ('path' in made) return { id, key: unit, body: made.path };
        say.warn(`reading of ${unit}`, { unit, reason: made.refusal }, 'reading not sent');
        return undefined;
      },
      attempt: legacyDelivery({ url, token, dispatcher: this.#agent(legacy.ca), clock: context.clock }),
    });
  }

  async #startEndpoint(
    { stopGraceMs, clock, random, log, outboxes }: UplinkContext,
    options: Omit<EndpointOptions, 'stopGraceMs' | 'clock' | 'random' | 'log'>,
  ): Promise<void> {
    const endpoint = new Endpoint({ ...options, stopGraceMs, clock, random, log });
    this.#endpoints.push(endpoint);
    await endpoint.start();
    this.#leave.push(outboxes.add(endpoint));
  }

  #agent(ca: string | undefined, lookup?: LookupFunction): Agent {
    const agent = createAgent({ ca, connections: MAX_PARALLEL, lookup });
    this.#agents.push(agent);
    return agent;
  }
}

/** A queue belongs to its URL, wherever that stands in the configuration. */
function queueNames(urls: readonly string[]): string[] {
  return urls.map((url, index) => {
    const name = `webhook-${createHash('sha256').update(url).digest('hex').slice(0, NAME_DIGITS)}`;
    const same = urls.slice(0, index).filter((other) => other === url).length;
    return same === 0 ? name : `${name}-${same + 1}`;
  });
}

/** One message has one id and one body, whoever is told. */
function oncePerMessage(random: Random): (message: Told) => QueueItem {
  let last: { readonly message: Told; readonly item: QueueItem } | undefined;
  return (message) => {
    if (last?.message !== message) last = { message, item: webhookItem(message, random) };
    return last.item;
  };
}
