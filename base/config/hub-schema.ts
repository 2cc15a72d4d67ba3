import { z } from 'zod';
import { webhookEventNames } from '../hub/webhook-events.js';
import { DEFAULT_HUB_PORT, type HubConfiguration, MAX_HUB_APPS } from './configuration.js';
import { address, always, expected, flag, insecureUrl, secret, section, text, url } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const APP_EXAMPLE = '{ "id": "home", "key": "…", "secret": "file:…" }';
/** More would be served at the cost of all else; a house has a few. */
const MAX_CONNECTIONS = 10_000;
const MAX_APP_WEBHOOKS = 16;

/** `hub`. */
export function hubSection(secrets: Secrets) {
  const app = section(
    {
      id: text('"home"').regex(/^[A-Za-z0-9_-]+$/, {
        error: 'may hold only letters, digits, _ and -: it is part of a URL',
      }),
      key: text('"home-key"').regex(/^[A-Za-z0-9_-]+$/, {
        error: 'may hold only letters, digits, _ and -: it is part of a URL',
      }),
      secret: secret(secrets),
      enabled: flag().optional(),
      clientEvents: flag().optional(),
      userAuthentication: flag().optional(),
      subscriptionCount: flag().optional(),
      maxConnections: z
        .int({ error: expected('a whole number', '100') })
        .min(1, { error: `must be 1 to ${MAX_CONNECTIONS}` })
        .max(MAX_CONNECTIONS, { error: `must be 1 to ${MAX_CONNECTIONS}` })
        .optional(),
      webhooks: z
        .array(appWebhook(), { error: expected('a list', '[ { "url": "https://…" } ]') })
        .max(MAX_APP_WEBHOOKS, { error: `has more than ${MAX_APP_WEBHOOKS} receivers` })
        .optional(),
    },
    APP_EXAMPLE,
  );
  const shape = {
    listen: address(DEFAULT_HUB_PORT, `"127.0.0.1:${DEFAULT_HUB_PORT}"`).optional(),
    apps: z
      .array(app, { error: expected('a list', `[ ${APP_EXAMPLE} ]`) })
      .min(1, { error: `has no app, so nobody could connect; write [ ${APP_EXAMPLE} ]` })
      .max(MAX_HUB_APPS, { error: `has more than ${MAX_HUB_APPS} apps` }),
  };
  return section(shape, `{ "apps": [ ${APP_EXAMPLE} ] }`).superRefine((hub, context) => {
    for (const name of ['id', 'key'] as const) {
      const taken = new Map<unknown, number>();
      for (const [index, entry] of (Array.isArray(hub.apps) ? hub.apps : []).entries()) {
        const value: unknown = entry?.[name];
        const other = taken.get(value);
        if (typeof value === 'string' && other !== undefined) {
          const message = `is the ${name} of apps[${other}] too; give each app its own`;
          context.addIssue({ code: 'custom', path: ['apps', index, name], message });
        }
        taken.set(value, index);
      }
    }
  }, always);
}

/** What a checked `hub` section says, in the form the base uses. */
export function hubOf(hub: z.output<ReturnType<typeof hubSection>>): HubConfiguration {
  return {
    listen: hub.listen ?? { host: '127.0.0.1', port: DEFAULT_HUB_PORT },
    apps: hub.apps.map(({ webhooks, ...app }) => ({
      ...defined(app),
      id: app.id,
      key: app.key,
      secret: app.secret!,
      webhooks: (webhooks ?? []).map(({ url: receiver, events, batch }) => ({
        url: receiver!,
        ...defined({ events, batch }),
      })),
    })),
  };
}

/** A receiver of what happens in an app's channels (reference/pusher.md, 1.8). */
function appWebhook() {
  return section(
    {
      url: url('"https://…"'),
      events: z
        .array(z.enum(webhookEventNames, { error: `must be one of ${webhookEventNames.join(', ')}` }), {
          error: expected('a list', '["channel_occupied"]'),
        })
        .max(webhookEventNames.length, { error: 'names an event twice' })
        .optional(),
      batch: flag().optional(),
      allowHttp: flag().optional(),
    },
    '{ "url": "https://…" }',
  ).superRefine((value, context) => {
    const message = insecureUrl(value.url, value.allowHttp === true);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['url'], message });
  }, always);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What the file says and nothing else: the hub has its own defaults. */
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Defined<T>;
}
