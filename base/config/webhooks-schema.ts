import { z } from 'zod';
import { webhookEvents } from '../uplinks/webhooks/webhook-options.js';
import { MAX_WEBHOOKS, type WebhookConfiguration } from './configuration.js';
import { certificates } from './pem-fields.js';
import { always, expected, flag, insecureUrl, secret, section, url } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const WEBHOOK_EXAMPLE = '{ "url": "https://…", "secret": "env:HOOK_SECRET" }';

/** `webhooks`. */
export function webhooksSection(secrets: Secrets) {
  const webhook = section(
    {
      url: url('"https://…"'),
      secret: signingSecret(secrets),
      previousSecret: signingSecret(secrets).optional(),
      events: z
        .array(z.enum(webhookEvents, { error: `must be one of ${webhookEvents.join(', ')}` }), {
          error: expected('a list', '["report", "outcome"]'),
        })
        .min(1, { error: 'is empty; take it out for all events, or name some' })
        .refine((events) => new Set(events).size === events.length, { error: 'names an event twice' })
        .optional(),
      ca: certificates(secrets).optional(),
      allowHttp: flag().optional(),
      allowPrivate: flag().optional(),
    },
    WEBHOOK_EXAMPLE,
  ).superRefine((value, context) => {
    const message = insecureUrl(value.url, value.allowHttp === true);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['url'], message });
  }, always);
  return z
    .array(webhook, { error: expected('a list', `[ ${WEBHOOK_EXAMPLE} ]`) })
    .max(MAX_WEBHOOKS, { error: `has more than ${MAX_WEBHOOKS} receivers` });
}

/** What a checked `webhooks` section says, in the form the base uses. */
export function webhooksOf(webhooks: z.output<ReturnType<typeof webhooksSection>>): WebhookConfiguration[] {
  return webhooks.map((webhook) => ({
    url: webhook.url!,
    secret: webhook.secret!,
    previousSecret: webhook.previousSecret,
    events: webhook.events ?? webhookEvents,
    ca: webhook.ca,
    allowHttp: webhook.allowHttp ?? false,
    allowPrivate: webhook.allowPrivate ?? false,
  }));
}

/** `whsec_` and base64, or any text. */
function signingSecret(secrets: Secrets) {
  return secret(secrets).refine((value) => value === undefined || !/^whsec_(?![A-Za-z0-9+/]{4,}={0,2}$)/.test(value), {
    error: 'has no base64 behind whsec_; write 32 octets in base64 there',
  });
}
