import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

/** How TLS is checked. */
export interface ClientTls {
  /** Certificate authorities to trust instead of the public ones, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /**
   * The name that the certificate must have. Default: the host, also after a redirection, since a redirection comes before
   * TLS and anyone on the way could have sent it.
   */
  readonly servername?: string | undefined;
  /** Hosts that a redirection may lead to, whose certificate then must have their own name instead. */
  readonly redirectHosts?: readonly string[] | undefined;
  /** Default true. False takes any certificate: then nobody knows who is at the other end. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** For Node's `tls`: the certificate must be for `servername`, else for `host`. */
export function connectionOptions(tls: ClientTls, host: string): ConnectionOptions {
  const { ca, servername, rejectUnauthorized = true } = tls;
  const name = servername ?? host;
  return {
    host: name,
    // Not for addresses: RFC 6066, section 3.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca: ca as NonNullable<ConnectionOptions['ca']> }),
    rejectUnauthorized,
    minVersion: 'TLSv1.2',
  };
}
