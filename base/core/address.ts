/** Where to dial or listen. `host` is a name or an IP address without brackets; `port` 0 (listening only) lets the system choose. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port` as people write it; IPv6 in brackets. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv4 address that a socket for both families shows as IPv6 (`::ffff:192.0.2.1`), as it is written. */
export function plainHost(host: string): string {
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
}
