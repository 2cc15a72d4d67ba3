import { isIPv4 } from 'node:net';

/** Written with brackets where it is IPv6, as in a Host header. */
const alwaysAllowed = ['localhost', '127.0.0.1', '[::1]'];

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Against DNS rebinding: a web page whose name was made to point to this machine reaches what listens on the loopback,
 * but its Host header still has that name. `undefined`: everything may pass, for the base listens on the network, where
 * it has names that it does not know. Otherwise: true for the hosts it listens at.
 */
export function hostCheck(listenHost: string): ((header: string | undefined) => boolean) | undefined {
  if (!isLoopbackHost(listenHost)) return undefined;
  const allowed = new Set([...alwaysAllowed, listenHost]);
  return (header) => {
    const match = /^(\[[^\]]+\]|[^:]+?)\.?(?::\d{1,5})?$/.exec(header ?? '');
    return match !== null && allowed.has(match[1]!.toLowerCase());
  };
}
