import { LinkError } from '../../protocol/errors.js';
import type { ConnectOptions } from '../connection/connecting.js';
import { connectionOptions } from '../connection/tls-options.js';
import { ClientSession, type Received, type SessionEnd, type SessionSettings } from './client-session.js';
import type { ClientTls } from './client-tls.js';
import type { OctetStream } from './octet-stream.js';
import type { ClientPlatform } from './platform.js';
import { connectTcp } from './tcp-stream.js';
import { connectWebSocket } from './websocket-stream.js';

/** Redirections followed one after the other. More is a circle. */
export const MAX_REDIRECTIONS = 5;

/** Where a concentrator is. `tls` of TCP: it is asked for in the opening. */
export type Place =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls: ClientTls | undefined }
  | { readonly kind: 'websocket'; readonly url: URL; readonly tls: ClientTls };

/** What the client hears of its session. */
export interface SessionHost {
  /** Before anything of it is received. */
  opened(session: ClientSession): void;
  redirected(host: string, port: number): void;
  received(transmission: Received): void;
  drained(): void;
  /** Of a session that was opened. */
  closed(end: SessionEnd): void;
}

export interface OpenSessionOptions {
  readonly place: Place;
  readonly session: SessionSettings;
  readonly connectTimeoutMs: number;
  readonly platform: ClientPlatform;
  readonly signal: AbortSignal;
  readonly host: SessionHost;
}

interface Redirection {
  readonly host: string;
  readonly port: number;
}

/**
 * Connects, goes where it is sent, and opens the session. Rejects with LinkError `connect-failed` or `connect-timeout`,
 * TimeoutError `opening-timeout`, ProtocolError `proof-refused` or `opening-malformed`, or the signal's reason.
 */
export async function openSession(options: OpenSessionOptions): Promise<void> {
  let place = options.place;
  for (let hops = 0; ; hops += 1) {
    const redirection = await openAt(place, options);
    if (redirection === undefined) return;
    if (hops === MAX_REDIRECTIONS)
      throw new LinkError('connect-failed', `redirected more than ${MAX_REDIRECTIONS} times, last by ${textOf(place)}`);
    place = placeBehind(options.place, redirection);
    options.host.redirected(redirection.host, redirection.port);
  }
}

/** `undefined`: the session is open there. */
async function openAt(place: Place, options: OpenSessionOptions): Promise<Redirection | undefined> {
  const { session: settings, platform, signal, host, connectTimeoutMs } = options;
  const stream = await connect(place, { clock: platform.clock, timeoutMs: connectTimeoutMs, signal });
  return new Promise((resolve, reject) => {
    let isOpen = false;
    let redirection: Redirection | undefined;
    const abort = (): void => session.destroy(signal.reason);
    const session = new ClientSession({
      ...settings,
      stream,
      platform,
      events: {
        opened: () => {
          isOpen = true;
          signal.removeEventListener('abort', abort);
          host.opened(session);
          resolve(undefined);
        },
        redirected: (to) => {
          redirection = to;
        },
        received: (transmission) => host.received(transmission),
        drained: () => host.drained(),
        closed: (end) => {
          signal.removeEventListener('abort', abort);
          if (isOpen) host.closed(end);
          else if (redirection !== undefined) resolve(redirection);
          else reject(end.error ?? new LinkError('connect-failed', 'the concentrator closed the connection'));
        },
      },
    });
    signal.addEventListener('abort', abort, { once: true });
    session.start();
    if (signal.aborted) abort();
  });
}

function connect(place: Place, options: ConnectOptions): Promise<OctetStream> {
  if (place.kind === 'websocket') return connectWebSocket(place, options);
  return connectTcp({ ...place, tls: connectionOptions(place.tls ?? {}, place.host) }, options);
}

function placeBehind(first: Place, { host, port }: Redirection): Place {
  if (first.kind === 'websocket') {
    // Inside TLS a redirection is the concentrator's own word: the certificate there has its own name.
    const url = new URL(first.url);
    url.host = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    return { ...first, url };
  }
  if (first.tls === undefined) return { ...first, host, port };
  const isTrusted = first.tls.redirectHosts?.includes(host) === true;
  const servername = isTrusted ? host : (first.tls.servername ?? first.host);
  return { kind: 'tcp', host, port, tls: { ...first.tls, servername } };
}

const textOf = (place: Place): string => (place.kind === 'tcp' ? `${place.host}:${place.port}` : place.url.host);
