import { ConfigurationError } from '../../protocol/errors.js';
import type { WebhookEventName } from './webhook-events.js';

/** One app of the hub, as configured (`hub.apps` of the configuration). Its clients and its server share key and secret. */
export interface HubAppOptions {
  /** In the paths of the HTTP API. */
  readonly id: string;
  /** Public: in the clients' address. */
  readonly key: string;
  readonly secret: string;
  /** False refuses clients with 4003 and the HTTP API with 403. Default true. */
  readonly enabled?: boolean;
  /** May clients send `client-` events? Default true: every app of this hub is its user's own, and outcomes may travel so. */
  readonly clientEvents?: boolean;
  /** May clients sign in as users? Default true. */
  readonly userAuthentication?: boolean;
  /** Send `pusher_internal:subscription_count`? Default false, as at the service. */
  readonly subscriptionCount?: boolean;
  /** Refuse clients that do not come over TLS with 4000? Default false. */
  readonly tlsOnly?: boolean;
  /** Clients at once; the next one is refused with 4004. Default 500. */
  readonly maxConnections?: number;
  readonly webhooks?: readonly HubWebhookOptions[];
}

export interface HubWebhookOptions {
  readonly url: string;
  /** Default: all; `subscription_count` only when the app has `subscriptionCount`. */
  readonly events?: readonly WebhookEventName[];
  /** Several events in one POST? Default false: one event a POST. */
  readonly batch?: boolean;
}

/** With their write buffers full, 500 clients take 125 MiB of the 512 MiB a base is given. */
const DEFAULT_MAX_CONNECTIONS = 500;

export type HubApp = Required<HubAppOptions>;

/** Throws ConfigurationError (`config-invalid`) for an app that cannot work. */
export function hubApp(options: HubAppOptions): HubApp {
  for (const field of ['id', 'key', 'secret'] as const) {
    if (typeof options[field] !== 'string' || options[field] === '')
      throw new ConfigurationError('config-invalid', `hub.apps: ${field} must be a text that is not empty`);
  }
  if (/[/?#]/.test(options.id) || /[/?#:]/.test(options.key))
    throw new ConfigurationError(
      'config-invalid',
      'hub.apps: id and key stand in addresses, so no "/", "?", "#" or ":"',
    );
  for (const { url } of options.webhooks ?? []) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new ConfigurationError(
        'config-invalid',
        'hub.apps: the url of webhooks must begin with http:// or https://',
      );
  }
  return {
    enabled: true,
    clientEvents: true,
    userAuthentication: true,
    subscriptionCount: false,
    tlsOnly: false,
    maxConnections: DEFAULT_MAX_CONNECTIONS,
    webhooks: [],
    ...options,
  };
}
