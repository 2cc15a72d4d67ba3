import type { HubApp } from './app.js';
import { type CloseCode, closeReasons } from './close-codes.js';
import { decoded, split } from './request-target.js';

/** An upgrade request, as far as the protocol looks at it. */
export interface HandshakeRequest {
  /** Path and query. */
  readonly url: string;
  /** Did it come over TLS? */
  readonly secure: boolean;
}

export type Handshake<A> =
  | { readonly kind: 'accepted'; readonly app: A; readonly protocol: number }
  | {
      readonly kind: 'refused';
      readonly code: CloseCode;
      readonly reason: string;
      /** Clients before protocol 6 do not look at close codes: they get a `pusher:error` first. */
      readonly sendError: boolean;
    };

/** From this protocol version on, the close code says it all. */
export const CLOSE_CODE_PROTOCOL = 6;

const SUPPORTED_PROTOCOLS: readonly number[] = [5, 6, 7];
const LONGEST_KEY_SHOWN = 40;

/** The checks of a new client in the order of `reference/pusher.md` 1.1: path, key, enabled, protocol, TLS, quota. */
export function shakeHands<A extends { readonly settings: HubApp; readonly hasRoom: boolean }>(
  request: HandshakeRequest,
  findApp: (key: string) => A | undefined,
): Handshake<A> {
  const [path = '', query = ''] = split(request.url, '?');
  const version = new URLSearchParams(query).get('protocol');
  const isInteger = version !== null && /^[+-]?\d+$/.test(version);
  const protocol = isInteger ? Number(version) : Number.NaN;
  const refuse = (code: CloseCode, reason: string = closeReasons[code]): Handshake<A> => ({
    kind: 'refused',
    code,
    reason,
    sendError: protocol < CLOSE_CODE_PROTOCOL,
  });

  const key = /^\/app\/([^/]+)$/.exec(path)?.[1];
  if (key === undefined) return refuse(4005);
  const app = findApp(decoded(key));
  if (app === undefined)
    return refuse(4001, `${closeReasons[4001]}: no app with key ${key.slice(0, LONGEST_KEY_SHOWN)}`);
  if (!app.settings.enabled) return refuse(4003);
  if (version === null) return refuse(4008);
  if (!isInteger) return refuse(4006);
  if (!SUPPORTED_PROTOCOLS.includes(protocol)) return refuse(4007);
  if (app.settings.tlsOnly && !request.secure) return refuse(4000);
  if (!app.hasRoom) return refuse(4004);
  return { kind: 'accepted', app, protocol };
}
