import type { Address } from '../../core/address.js';
import type { TlsFiles } from '../../links/certificates.js';
import type { HttpAuthentication } from '../../links/http-authentication.js';
import type { ConnectorApiLimits } from './connector-api-limits.js';

/** How often the status is compared for its event stream, where nothing is said (wire/connector.md). */
export const DEFAULT_STATUS_EVERY_MS = 5_000;
/** How long a command or a query waits for its answer, where nothing is said (wire/connector.md). */
export const DEFAULT_ANSWER_TIMEOUT_MS = 8_000;

/** The API of IoT Cloud Connector, as it is configured in the section `connector`. */
export interface ConnectorApiOptions {
  /** `connector.http`. Port 0 lets the system choose. */
  readonly listen: Address;
  /** Absolute paths; `undefined`: HTTP in clear. */
  readonly tls: TlsFiles | undefined;
  /** What every request must carry. */
  readonly auth: HttpAuthentication;
  /** Origins whose pages may use it, as `https://dashboard.example`; `*`: all; empty: none. */
  readonly cors: readonly string[];
  /** Default {@link DEFAULT_STATUS_EVERY_MS}. */
  readonly statusEveryMs?: number;
  /** Default {@link DEFAULT_ANSWER_TIMEOUT_MS}. */
  readonly answerTimeoutMs?: number;
  readonly limits?: Partial<ConnectorApiLimits>;
}
