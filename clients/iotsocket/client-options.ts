import { KEY_OCTETS } from '../../protocol/iotsocket/uid.js';
import { fromHex } from '../../protocol/octets.js';
import { type BackOff, checkBackOff } from '../connection/back-off.js';
import { MAX_MS, refuse, whole } from '../connection/check-option.js';
import { checkTls } from '../connection/tls-options.js';
import type { SessionSettings } from './client-session.js';
import type { ClientTls } from './client-tls.js';
import type { Place } from './open-session.js';
import { type ClientPlatform, systemPlatform } from './platform.js';
import { MAX_IN_FLIGHT } from './request-table.js';

/** What both kinds of client can be given. */
export interface ClientOptions {
  /** Where the concentrator is; or `url`. */
  readonly host?: string | undefined;
  /** Default 50505. */
  readonly port?: number | undefined;
  /** `ws:` or `wss:`, instead of `host` and `port`: the same sessions over WebSocket. */
  readonly url?: string | undefined;
  /** 16 octets, or 32 hexadecimal digits. */
  readonly key: Uint8Array | string;
  /** 1: v1.01 (default). 0: draft v0.07. */
  readonly version?: 0 | 1 | undefined;
  /**
   * TLS on the same stream, after the first octets; with `wss:` how its certificate is checked. Default: none, so whoever is on
   * the network reads along and can put octets in.
   */
  readonly tls?: false | ClientTls | undefined;
  /** The longest transmission that we take, told to the concentrator and held to. Default 0: any. */
  readonly maxTransmission?: number | undefined;
  /** A ping after so long without octets from the concentrator, and the end after so long without any. Defaults 15 s and 45 s. */
  readonly pingAfterMs?: number | undefined;
  readonly deadAfterMs?: number | undefined;
  /** For one attempt to connect. Default 5 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** For an answer. Default 15 s: a concentrator's own time-out is 10 s as a rule, so its `A1` comes first. */
  readonly requestTimeoutMs?: number | undefined;
  /** Requests that may wait for their answer, 1 to 16,384 (default). */
  readonly maxInFlight?: number | undefined;
  /** Connects again whenever the session ends, later and later. Default false. */
  readonly reconnect?: boolean | Partial<BackOff> | undefined;
  /** Clock, chance and HMAC, for tests and simulations. Default: the machine's. */
  readonly platform?: ClientPlatform | undefined;
}

/** The options, checked and complete. */
export interface ClientSettings {
  readonly place: Place;
  readonly session: SessionSettings;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxInFlight: number;
  readonly backOff: BackOff | undefined;
  readonly platform: ClientPlatform;
}

const DEFAULT_PORT = 50_505;
const PING_AFTER_MS = 15_000;
const DEAD_AFTER_MS = 45_000;
const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** A close transmission, or a request with an empty payload, is that long. */
const LEAST_TRANSMISSION = 7;

/** Throws ConfigurationError `config-invalid`, naming the option. */
export function checkOptions(uid: string, options: ClientOptions): ClientSettings {
  const { version = 1, maxTransmission = 0, reconnect = false } = options;
  if (version !== 0 && version !== 1) refuse('version', 'must be 0 or 1');
  if (maxTransmission !== 0) whole('maxTransmission', maxTransmission, LEAST_TRANSMISSION, 0xffff);
  const ms = (
    name: 'pingAfterMs' | 'deadAfterMs' | 'connectTimeoutMs' | 'requestTimeoutMs',
    fallback: number,
  ): number => whole(name, options[name] ?? fallback, 1, MAX_MS);
  const place = placeOf(options);
  const pingAfterMs = ms('pingAfterMs', PING_AFTER_MS);
  const deadAfterMs = ms('deadAfterMs', DEAD_AFTER_MS);
  // A concentrator that has nothing to say would be taken for dead before it is asked.
  if (deadAfterMs <= pingAfterMs) refuse('deadAfterMs', `must be more than pingAfterMs, which is ${pingAfterMs}`);
  return {
    place,
    session: {
      uid,
      key: keyOf(options.key),
      version,
      asksTls: place.kind === 'tcp' && place.tls !== undefined,
      maxTransmission,
      pingAfterMs,
      deadAfterMs,
    },
    connectTimeoutMs: ms('connectTimeoutMs', CONNECT_TIMEOUT_MS),
    requestTimeoutMs: ms('requestTimeoutMs', REQUEST_TIMEOUT_MS),
    maxInFlight: whole('maxInFlight', options.maxInFlight ?? MAX_IN_FLIGHT, 1, MAX_IN_FLIGHT),
    backOff: checkBackOff(reconnect),
    platform: options.platform ?? systemPlatform,
  };
}

function placeOf({ host, port, url, tls = false }: ClientOptions): Place {
  if (tls !== false) checkTls(tls);
  if ((host === undefined) === (url === undefined)) refuse('host', 'or url must be given, one of them');
  if (url !== undefined) {
    if (port !== undefined) refuse('port', 'stands in the url');
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !['ws:', 'wss:'].includes(parsed.protocol))
      refuse('url', 'must begin with ws:// or wss://');
    if (parsed.protocol === 'ws:' && tls !== false) refuse('url', 'must begin with wss:// for TLS');
    return { kind: 'websocket', url: parsed, tls: tls === false ? {} : tls };
  }
  if (host === '') refuse('host', 'is empty');
  return {
    kind: 'tcp',
    host: host!,
    port: whole('port', port ?? DEFAULT_PORT, 1, 0xffff),
    tls: tls === false ? undefined : tls,
  };
}

function keyOf(key: Uint8Array | string): Uint8Array {
  const octets = typeof key === 'string' ? (/^[0-9a-fA-F]{32}$/.test(key) ? fromHex(key) : undefined) : key;
  // Never the key itself: messages get into logs.
  if (octets?.length !== KEY_OCTETS) refuse('key', 'must be 16 octets, or 32 hexadecimal digits');
  return octets.slice();
}
