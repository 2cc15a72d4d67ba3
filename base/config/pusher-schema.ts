import { z } from 'zod';
import { fromHex } from '../../protocol/octets.js';
import { publishableEvents } from '../uplinks/pusher/pusher-options.js';
import { DEFAULT_CHANNEL, type PusherConfiguration } from './configuration.js';
import {
  always,
  expected,
  flag,
  headerSecret,
  insecureUrl,
  secret,
  secretIssue,
  section,
  text,
  url,
} from './schema-fields.js';
import type { Secrets } from './secrets.js';

const HTTPS_PORT = 443;
const HTTP_PORT = 80;
/** reference/pusher.md, 1.3. */
const MAX_CHANNEL_CHARACTERS = 164;
const privateChannel = /^private-[A-Za-z0-9_\-=@,.;]+$/;
const encryptedChannel = /^private-encrypted-/;
const AUTH_EXAMPLE = '{ "endpoint": "https://…/api/broadcasting/auth", "token": "env:DASHBOARD_TOKEN" }';

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
      token: headerSecret(secrets),
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
    events: z
      .array(z.enum(publishableEvents, { error: `must be one of ${publishableEvents.join(', ')}` }), {
        error: expected('a list', '["outcome"]'),
      })
      .max(publishableEvents.length, { error: 'names an event twice' })
      .optional(),
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
    if (has('secret') && !has('encryptionKey') && encryptedChannel.test(pusher.channel ?? '')) {
      say(
        ['encryptionKey'],
        'is missing: events of a private-encrypted- channel cannot be made without it; write 32 octets in base64',
      );
    }
    if (
      !has('secret') &&
      Array.isArray(pusher.events) &&
      // One that nobody knows was refused already.
      pusher.events.some((event) => event !== 'outcome' && publishableEvents.includes(event))
    ) {
      say(['events'], 'needs appId and secret beside it for all but outcome; write them, or only ["outcome"]');
    }
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
    events: pusher.events ?? ['outcome'],
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
