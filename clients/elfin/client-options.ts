import { isUserSecret, isUserUuid, SECRET_RULE, UUID_RULE } from '../../protocol/elfin/account.js';
import type { Account } from '../../protocol/elfin/message.js';
import { MAX_MS, refuse, whole } from '../connection/check-option.js';
import { type ClientClock, systemClock } from '../connection/client-clock.js';
import { checkTls, type TlsOptions } from '../connection/tls-options.js';

export interface ElfinClientOptions {
  /** Where the gateway is. It must listen there with the framing `line` (`elfin.lineTcp` of a base). */
  readonly host: string;
  /** Default 3003. */
  readonly port?: number | undefined;
  /** The user's uuid. */
  readonly user: string;
  /** The user's secret, where it has one. */
  readonly secret?: string | undefined;
  /** Default: none, so whoever is on the network reads along, the secret too. */
  readonly tls?: false | TlsOptions | undefined;
  /** For the connection, and for TLS on it. Default 5 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** For an answer. Default 10 s. */
  readonly answerTimeoutMs?: number | undefined;
  /** For tests. Default: the machine's. */
  readonly clock?: ClientClock | undefined;
}

/** The options, checked and complete. */
export interface ElfinClientSettings {
  readonly host: string;
  readonly port: number;
  readonly account: Account;
  readonly tls: TlsOptions | undefined;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly clock: ClientClock;
}

/** Where a base listens with the framing `line`, if nothing else is said. */
export const DEFAULT_PORT = 3_003;
const CONNECT_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 10_000;

/** Throws ConfigurationError `config-invalid`, naming the option. */
export function checkOptions(options: ElfinClientOptions): ElfinClientSettings {
  const { host, port = DEFAULT_PORT, user, secret, tls = false, clock = systemClock } = options;
  if (typeof host !== 'string' || host === '') refuse('host', 'is empty');
  if (typeof user !== 'string' || !isUserUuid(user)) refuse('user', `is none: a uuid ${UUID_RULE}`);
  // Never the secret itself: messages get into logs.
  if (secret !== undefined && (typeof secret !== 'string' || !isUserSecret(secret)))
    refuse('secret', `is none: a secret ${SECRET_RULE}`);
  if (tls !== false) checkTls(tls);
  const ms = (name: 'connectTimeoutMs' | 'answerTimeoutMs', fallback: number): number =>
    whole(name, options[name] ?? fallback, 1, MAX_MS);
  return {
    host,
    port: whole('port', port, 1, 0xffff),
    account: { uuid: user, secret },
    tls: tls === false ? undefined : tls,
    connectTimeoutMs: ms('connectTimeoutMs', CONNECT_TIMEOUT_MS),
    answerTimeoutMs: ms('answerTimeoutMs', ANSWER_TIMEOUT_MS),
    clock,
  };
}
