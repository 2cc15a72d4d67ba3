import { DEFAULT_PORT } from '../../protocol/yamqtt/records.js';
import { type BackOff, checkBackOff } from '../connection/back-off.js';
import { MAX_MS, refuse, whole } from '../connection/check-option.js';
import { type ClientClock, systemClock } from '../connection/client-clock.js';

export interface YamqttClientOptions {
  /** Where the server is. */
  readonly host: string;
  /** Default 1884. */
  readonly port?: number | undefined;
  /** For one attempt to connect. Default 5 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Connects again whenever the connection ends, later and later, with the same subscriptions. Default false. */
  readonly reconnect?: boolean | Partial<Pick<BackOff, 'firstMs' | 'capMs'>> | undefined;
  /** For tests. Default: the machine's. `fraction`: 0 ≤ fraction < 1, for jitter. */
  readonly clock?: ClientClock | undefined;
  readonly fraction?: (() => number) | undefined;
}

/** The options, checked and complete. */
export interface YamqttClientSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly backOff: BackOff | undefined;
  readonly clock: ClientClock;
  readonly fraction: () => number;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** Throws ConfigurationError `config-invalid`, naming the option. */
export function checkOptions(options: YamqttClientOptions): YamqttClientSettings {
  const { host, port, connectTimeoutMs, reconnect = false, clock = systemClock, fraction } = options;
  if (typeof host !== 'string' || host === '') refuse('host', 'is empty');
  return {
    host,
    port: whole('port', port ?? DEFAULT_PORT, 1, 0xffff),
    connectTimeoutMs: whole('connectTimeoutMs', connectTimeoutMs ?? CONNECT_TIMEOUT_MS, 1, MAX_MS),
    backOff: checkBackOff(reconnect),
    clock,
    fraction: fraction ?? (() => Math.random()),
  };
}
