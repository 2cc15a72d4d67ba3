import { ConfigurationError } from '../../../protocol/errors.js';
import { isLoopback } from '../../links/loopback.js';
import { secretOctets } from './standard-webhook.js';

export const webhookEvents = ['report', 'request', 'response', 'presence', 'outcome'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_` and base64, or any text as it is. */
  readonly secret: string;
  /** The secret before; while it is there each delivery carries two signatures. */
  readonly previousSecret?: string | undefined;
  readonly events: readonly WebhookEvent[];
  /** PEM of the authority that signed the receiver's certificate, instead of the public ones. */
  readonly ca?: string | undefined;
  /** Plain http to another machine: whoever is on the way reads and may change it. */
  readonly allowHttp?: boolean | undefined;
  /** The host name of `url` may resolve to addresses that are not public. */
  readonly allowPrivate?: boolean | undefined;
}

export interface LegacyWebhookOptions {
  /** The original's `api.url`. */
  readonly url: string;
  /** The original's `api.token`. */
  readonly token: string;
  /** The address of a line read unit, port 8888 with or without; undefined for every other unit: nothing is sent for those. */
  readonly addressOf: (unit: string) => string | undefined;
  readonly ca?: string | undefined;
  readonly allowHttp?: boolean | undefined;
}

/** Throws ConfigurationError `config-invalid`. */
export function checkWebhook(webhook: WebhookOptions, index: number): void {
  const path = `webhooks[${index}]`;
  checkUrl(`${path}.url`, webhook.url, webhook.allowHttp);
  checkSecret(`${path}.secret`, webhook.secret);
  if (webhook.previousSecret !== undefined) checkSecret(`${path}.previousSecret`, webhook.previousSecret);
}

/** Throws ConfigurationError `config-invalid`. */
export function checkLegacy(legacy: LegacyWebhookOptions): void {
  const url = checkUrl('api.url', legacy.url, legacy.allowHttp);
  if (url.search !== '' || url.hash !== '')
    throw new ConfigurationError('config-invalid', 'api.url must end with its path: leave ? and # out');
  if (!/^[\x21-\x7e]+$/.test(legacy.token))
    throw new ConfigurationError('config-invalid', 'api.token must be printable ASCII without blanks');
}

/** What the log calls an endpoint: where it goes, without its path, which may hold a secret. */
export function endpointLabel(name: string, url: string): string {
  return `${name} (${new URL(url).origin})`;
}

function checkSecret(path: string, secret: string): void {
  try {
    secretOctets(secret);
  } catch (cause) {
    throw new ConfigurationError('config-invalid', `${path} is empty: write whsec_ and 32 octets in base64`, { cause });
  }
}

function checkUrl(path: string, text: string, allowHttp = false): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['https:', 'http:'].includes(url.protocol))
    throw new ConfigurationError('config-invalid', `${path} must be a URL that begins with https://`);
  if (url.username !== '' || url.password !== '')
    throw new ConfigurationError('config-invalid', `${path} must not hold a user or password: the signature proves us`);
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url))
    throw new ConfigurationError(
      'config-invalid',
      `${path} is plain http to another machine: write https://, or set allowHttp where the network is trusted`,
    );
  return url;
}
