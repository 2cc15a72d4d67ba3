import { ConfigurationError } from '../../../protocol/errors.js';

export const publishableEvents = ['outcome', 'report', 'request', 'response', 'presence'] as const;
export type PublishableEvent = (typeof publishableEvents)[number];

/** The `pusher` section of the configuration, checked and with its secrets read. */
export interface PusherUplinkOptions {
  readonly key: string;
  /** The vendor's cluster; one of `cluster` and `host` is there. */
  readonly cluster?: string | undefined;
  /** A server of one's own. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Default true. */
  readonly tls?: boolean | undefined;
  /** With `secret`: events are published through the HTTP API. */
  readonly appId?: string | undefined;
  readonly secret?: string | undefined;
  /** Default `private-requests`. */
  readonly channel?: string | undefined;
  /** Who authorises the channel. Without it the base signs with `secret` itself. */
  readonly auth?: { readonly endpoint: string; readonly token: string } | undefined;
  /** Master key of `private-encrypted-` channels, 32 octets. */
  readonly encryptionKey?: Uint8Array | undefined;
  /** What is told on the channel. Default: outcomes only. All but `outcome` need `appId` and `secret`. */
  readonly events?: readonly PublishableEvent[] | undefined;
}

export const DEFAULT_CHANNEL = 'private-requests';
const ENCRYPTED_PREFIX = 'private-encrypted-';
const MASTER_KEY_OCTETS = 32;

export function isEncrypted(channel: string): boolean {
  return channel.startsWith(ENCRYPTED_PREFIX);
}

/** Throws ConfigurationError `config-invalid` for what can never work. */
export function checkOptions(options: PusherUplinkOptions): void {
  const refuse = (message: string): never => {
    throw new ConfigurationError('config-invalid', message);
  };
  const { channel = DEFAULT_CHANNEL, auth, secret, appId, encryptionKey } = options;
  if (!/^private-[A-Za-z0-9_\-=@,.;]{1,156}$/.test(channel))
    refuse('pusher.channel must begin with private-: anybody could command units on another');
  if (options.cluster === undefined && options.host === undefined)
    refuse('pusher needs a cluster, as "eu", or the host of a server of your own');
  if ((appId === undefined) !== (secret === undefined)) refuse('pusher.appId and pusher.secret go together');
  if (auth === undefined && secret === undefined)
    refuse(
      'pusher.auth is missing: somebody must authorise the channel; write an endpoint and a token, or appId and secret',
    );
  if (auth !== undefined && !/^https?:$/.test(URL.canParse(auth.endpoint) ? new URL(auth.endpoint).protocol : ''))
    refuse('pusher.auth.endpoint must be a URL that begins with https://');
  if (auth !== undefined && !/^[\x21-\x7e]+$/.test(auth.token))
    refuse('pusher.auth.token must be printable ASCII without blanks');
  if (encryptionKey !== undefined && encryptionKey.length !== MASTER_KEY_OCTETS)
    refuse('pusher.encryptionKey must be 32 octets');
  if (isEncrypted(channel) && secret !== undefined && encryptionKey === undefined)
    refuse('pusher.encryptionKey is missing: events of a private-encrypted- channel cannot be made without it');
}
