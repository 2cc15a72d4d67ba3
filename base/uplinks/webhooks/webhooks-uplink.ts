import type { Agent } from 'undici';
import type { Unsubscribe } from '../../core/bus.js';
import type { Outcome, Presence, Report } from '../../core/messages.js';
import { createAgent } from '../http-exchange.js';
import { TroubleLog } from '../trouble-log.js';
import type { Uplink, UplinkContext } from '../uplink.js';
import { standardDelivery } from './deliver.js';
import { Endpoint, type EndpointStatus, MAX_PARALLEL } from './endpoint.js';
import { legacyDelivery, legacyPath } from './legacy-put.js';
import { MemoryOutbox } from './memory-outbox.js';
import type { Outbox } from './outbox.js';
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

export interface WebhooksUplinkOptions {
  readonly webhooks?: readonly WebhookOptions[] | undefined;
  readonly legacy?: LegacyWebhookOptions | undefined;
  /** Where an endpoint's items wait, by its label. Default: in memory. */
  readonly outboxFor?: ((label: string) => Outbox) | undefined;
}

/** Tells centrals by HTTP: the original dashboard's PUT (wire/iot-base.md) and Standard Webhooks. `start` throws ConfigurationError. */
export class WebhooksUplink implements Uplink {
  readonly name = 'webhooks';
  readonly #options: WebhooksUplinkOptions;
  readonly #agents: Agent[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #unsubscribes: Unsubscribe[] = [];

  constructor(options: WebhooksUplinkOptions) {
    this.#options = options;
  }

  /** One line an endpoint, in the order of the configuration, the original's last. */
  get status(): readonly EndpointStatus[] {
    return this.#endpoints.map((endpoint) => endpoint.status);
  }

  async start(context: UplinkContext): Promise<void> {
    const { webhooks = [], legacy } = this.#options;
    for (const [index, webhook] of webhooks.entries()) checkWebhook(webhook, index);
    if (legacy !== undefined) checkLegacy(legacy);
    for (const [index, webhook] of webhooks.entries()) this.#startWebhook(context, webhook, index);
    if (legacy !== undefined) this.#startLegacy(context, legacy);
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.stop()));
    await Promise.all(this.#agents.splice(0).map((agent) => agent.destroy()));
  }

  #startWebhook(context: UplinkContext, webhook: WebhookOptions, index: number): void {
    const { clock, random, log, bus } = context;
    const label = endpointLabel(`webhook ${index}`, webhook.url);
    const dispatcher = this.#agent(webhook.ca);
    const endpoint = new Endpoint({
      label,
      deliver: standardDelivery({ url: webhook.url, secret: webhook.secret, dispatcher, clock }),
      outbox: this.#options.outboxFor?.(label) ?? new MemoryOutbox(),
      clock,
      random,
      log,
    });
    this.#endpoints.push(endpoint);
    const hear = (message: Report | Presence | Outcome): void => endpoint.add(webhookItem(message, random));
    for (const event of new Set(webhook.events)) this.#unsubscribes.push(bus.subscribe(event, hear));
  }

  #startLegacy(context: UplinkContext, legacy: LegacyWebhookOptions): void {
    const { clock, random, bus } = context;
    const label = endpointLabel('original dashboard', legacy.url);
    const log = context.log.child({ endpoint: label });
    const say = new TroubleLog(log);
    const dispatcher = this.#agent(legacy.ca);
    const endpoint = new Endpoint({
      label,
      deliver: legacyDelivery({ url: legacy.url, token: legacy.token, dispatcher, clock }),
      outbox: this.#options.outboxFor?.(label) ?? new MemoryOutbox({ maxItemsPerKey: MAX_LEGACY_PER_UNIT }),
      clock,
      random,
      log: context.log,
    });
    this.#endpoints.push(endpoint);
    const hear = (report: Report): void => {
      const address = legacy.addressOf(report.unit);
      if (address === undefined) return;
      const made = legacyPath(report, address);
      if ('path' in made) endpoint.add({ id: report.id, key: report.unit, body: made.path });
      else say.warn(`reading of ${report.unit}`, { unit: report.unit, reason: made.refusal }, 'reading not sent');
    };
    this.#unsubscribes.push(bus.subscribe('report', hear));
  }

  #agent(ca: string | undefined): Agent {
    const agent = createAgent({ ca, connections: MAX_PARALLEL });
    this.#agents.push(agent);
    return agent;
  }
}
