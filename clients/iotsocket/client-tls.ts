import type { TlsOptions } from '../connection/tls-options.js';

/** How TLS of a session is checked. */
export interface ClientTls extends TlsOptions {
  /**
   * The name that the certificate must have. Default: the host, also after a redirection, since a redirection comes before
   * TLS and anyone on the way could have sent it.
   */
  readonly servername?: string | undefined;
  /** Hosts that a redirection may lead to, whose certificate then must have their own name instead. */
  readonly redirectHosts?: readonly string[] | undefined;
}
