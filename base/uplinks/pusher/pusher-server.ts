import Pusher from 'pusher';
import type { PusherUplinkOptions } from './pusher-options.js';

/** The library has no time-out unless told; an event that takes longer is tried again. */
const REQUEST_TIMEOUT_MS = 5_000;

/** The HTTP side of the app (reference/pusher.md, 2.6); undefined when `appId` and `secret` are not configured. */
export function createServerClient(options: PusherUplinkOptions): Pusher | undefined {
  const { appId, key, secret, host, port, cluster, encryptionKey, tls = true } = options;
  if (appId === undefined || secret === undefined) return undefined;
  const encryption =
    encryptionKey === undefined ? {} : { encryptionMasterKeyBase64: Buffer.from(encryptionKey).toString('base64') };
  const base = { appId, key, secret, timeout: REQUEST_TIMEOUT_MS, ...encryption };
  if (host === undefined) return new Pusher({ ...base, cluster: cluster ?? '', useTLS: true });
  return new Pusher({ ...base, host, useTLS: tls, ...(port === undefined ? {} : { port: String(port) }) });
}
