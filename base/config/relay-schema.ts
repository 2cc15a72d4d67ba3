import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { fromHex } from '../../protocol/octets.js';
import {
  DEFAULT_CHANNEL,
  DEFAULT_HUB_PORT,
  type HubConfiguration,
  MAX_HUB_APPS,
  MAX_WEBHOOKS,
  type PusherConfiguration,
  type WebhookConfiguration,
  webhookEvents,
} from './configuration.js';
import {
  address,
  always,
  expected,
  flag,
  insecureUrl,
  secret,
  secretIssue,
  section,
  text,
  url,
} from './schema-fields.js';
import { MAX_PEM_OCTETS, type Secrets } from './secrets.js';

const HTTPS_PORT = 443;
const HTTP_PORT = 80;
/** reference/pusher.md, 1.3. */
const MAX_CHANNEL_CHARACTERS = 164;
const privateChannel = /^private-[A-Za-z0-9_\-=@,.;]+$/;
const AUTH_EXAMPLE = '{ "endpoint": "https://…/api/broadcasting/auth", "token": "env:DASHBOARD_TOKEN" }';
const APP_EXAMPLE = '{ "id": "home", "key": "…", "secret": "file:…" }';
const WEBHOOK_EXAMPLE = '{ "url": "https://…", "secret": "env:HOOK_SECRET" }';

/** `null` in a file is the same as leaving the key out; what is there and wrong is `undefined`, so that the two differ. */
const orNull = <S extends z.ZodType>(schema: S) => schema.nullish();

/** Host and port of a Pusher-protocol server of the user's own, as both forms of the file have them. */
export const ownServer = {
  host: orNull(
    text('"127.0.0.1"').regex(/^[^\s/@]+$/, { error: 'is no host; write a name or an IP address without https://' }),
  ),
  port: orNull(
    z
      .int({ error: expected('a whole number', '6001') })
      .min(1, { error: 'must be 1 to 65535' })
      .max(65_535, { error: 'must be 1 to 65535' }),
  ),
  tls: flag().optional(),
};

/** `pusher`. */
export function pusherSection(secrets: Secrets) {
  const auth = section(
    {
      endpoint: url('"https://…/api/broadcasting/auth"'),
      token: secret(secrets),
      allowHttp: flag().optional(),
    },
    AUTH_EXAMPLE,
  ).superRefine((value, context) => {
    const message = insecureUrl(value.endpoint, value.allowHttp === true);
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['endpoint'], message });
  }, always);
  const shape = {
    key: secret(secrets, 'the key of your Pusher app'),
    cluster: orNull(text('"eu"', 32)),
    ...ownServer,
    appId: orNull(text('the id of your Pusher app')),
    secret: orNull(secret(secrets)),
    encryptionKey: orNull(masterKey(secrets)),
    channel: z
      .string({ error: expected('a string', `"${DEFAULT_CHANNEL}"`) })
      .max(MAX_CHANNEL_CHARACTERS, { error: `is longer than ${MAX_CHANNEL_CHARACTERS} characters` })
      .regex(privateChannel, {
        error: `must begin with "private-" and hold only letters, digits and _-=@,.; as "${DEFAULT_CHANNEL}": anyone may join another channel`,
      })
      .optional(),
    auth: orNull(auth),
  };
  return section(shape, `{ "key": "…", "cluster": "eu", "auth": ${AUTH_EXAMPLE} }`).superRefine((pusher, context) => {
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    const has = (name: keyof typeof shape): boolean => isGiven(pusher, name);
    if (!has('cluster') && !has('host')) say([], 'needs a cluster, as "eu", or the host of a server of your own');
    if (has('port') && !has('host')) say(['port'], 'has no meaning without host; write both or none');
    if (has('appId') !== has('secret')) {
      say([has('appId') ? 'secret' : 'appId'], 'is missing: appId and secret go together; write both or none');
    }
    if (!has('auth') && !has('secret'))
      say(['auth'], `is missing: somebody must authorise the channel; write ${AUTH_EXAMPLE}`);
    if (has('encryptionKey') && !has('secret'))
      say(['encryptionKey'], 'needs appId and secret beside it, or take it out');
  }, always);
}

/** What a checked `pusher` section says, in the form the base uses. */
export function pusherOf(pusher: z.output<ReturnType<typeof pusherSection>>): PusherConfiguration {
  const tls = pusher.tls ?? true;
  return {
    key: pusher.key!,
    cluster: pusher.cluster ?? undefined,
    ...serverOf(pusher.host, pusher.port, tls),
    tls,
    appId: pusher.appId ?? undefined,
    secret: pusher.secret ?? undefined,
    encryptionKey: pusher.encryptionKey ?? undefined,
    channel: pusher.channel ?? DEFAULT_CHANNEL,
    auth: pusher.auth ? { endpoint: pusher.auth.endpoint!, token: pusher.auth.token! } : undefined,
  };
}

/** Host and port, with the port that is usual for `tls`. */
export function serverOf(
  host: string | null | undefined,
  port: number | null | undefined,
  tls: boolean,
): Pick<PusherConfiguration, 'host' | 'port'> {
  return host ? { host, port: port ?? (tls ? HTTPS_PORT : HTTP_PORT) } : { host: undefined, port: undefined };
}

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
      clientEvents: flag().optional(),
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
    apps: hub.apps.map(({ id, key, secret: appSecret, clientEvents }) => ({
      id,
      key,
      secret: appSecret!,
      clientEvents: clientEvents ?? false,
    })),
  };
}

/** `webhooks`. */
export function webhooksSection(secrets: Secrets) {
  const webhook = section(
    {
      url: url('"https://…"'),
      secret: secret(secrets),
      events: z
        .array(z.enum(webhookEvents, { error: `must be one of ${webhookEvents.join(', ')}` }), {
          error: expected('a list', '["report", "outcome"]'),
        })
        .min(1, { error: 'is empty; take it out for all events, or name some' })
        .refine((events) => new Set(events).size === events.length, { error: 'names an event twice' })
        .optional(),
      ca: certificates(secrets).optional(),
      allowHttp: flag().optional(),
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
    events: webhook.events ?? webhookEvents,
    ca: webhook.ca,
  }));
}

/** A file of certificates in PEM. */
function certificates(secrets: Secrets) {
  return z.string({ error: expected('a string', '"my-ca.pem"') }).transform((path, context): string | undefined => {
    const read = secrets.readFile(path.replace(/^file:/, ''), MAX_PEM_OCTETS);
    const what = read.ok ? problemOfPem(read.text, path) : read.what;
    if (what === undefined && read.ok) return read.text;
    context.addIssue({ code: 'custom', message: what!, input: undefined });
    return undefined;
  });
}

function problemOfPem(pem: string, path: string): string | undefined {
  try {
    new X509Certificate(pem);
    return undefined;
  } catch {
    return `names the file ${path}, which holds no certificate; it must be PEM, beginning with -----BEGIN CERTIFICATE-----`;
  }
}

/** 32 octets as 64 hexadecimal digits or base64 (the form Pusher's own tools make). */
function masterKey(secrets: Secrets) {
  return z
    .string({ error: expected('a string', '"file:path"') })
    .transform((written, context): Uint8Array | undefined => {
      const read = secrets.read(written);
      if (!read.ok) {
        context.addIssue({ code: 'custom', message: read.what, input: undefined, params: secretIssue });
        return undefined;
      }
      if (/^[0-9a-fA-F]{64}$/.test(read.text)) return fromHex(read.text);
      if (/^[A-Za-z0-9+/]{43}=$/.test(read.text)) return Uint8Array.from(Buffer.from(read.text, 'base64'));
      const message = 'is no key of 32 octets; write 44 characters of base64, as "openssl rand -base64 32" makes them';
      context.addIssue({ code: 'custom', message, input: undefined });
      return undefined;
    });
}

const isGiven = (value: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.hasOwn(value, name) && value[name] !== null;
