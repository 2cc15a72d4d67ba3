import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { refuse } from './check-option.js';

/** How TLS is checked. */
export interface TlsOptions {
  /** Certificate authorities to trust instead of the public ones, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The name that the certificate must have. Default: the host. */
  readonly servername?: string | undefined;
  /** Default true. False takes any certificate: then nobody knows who is at the other end. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** What is empty would be taken for left out, and others be trusted than was meant. Throws ConfigurationError `config-invalid`. */
export function checkTls(tls: TlsOptions): void {
  if (typeof tls !== 'object' || tls === null) refuse('tls', 'must be false, or an object, as {}');
  if (tls.servername === '') refuse('tls.servername', 'is empty');
  if (tls.ca === undefined) return;
  const authorities = [tls.ca].flat();
  if (authorities.length === 0 || authorities.some(({ length }) => length === 0)) refuse('tls.ca', 'is empty');
}

/** For Node's `tls`: the certificate must be for `servername`, else for `host`. */
export function connectionOptions(tls: TlsOptions, host: string): ConnectionOptions {
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
