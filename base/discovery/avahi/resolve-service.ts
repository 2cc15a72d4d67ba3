import type { AvahiLibrary } from './avahi-library.js';
import { askDaemon, resolveHost } from './avahi-socket.js';

/** Where a service was seen: by the number of its network interface, and the domain (`local.`). */
export interface Sighting {
  readonly interfaceIndex: number;
  readonly domain: string;
}

export interface Resolved {
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
  /** As it travels. */
  readonly txt: Uint8Array;
}

/** Asks the daemon where a service is. Rejects when it does not know, or the signal aborts first. */
export async function resolveService(
  library: AvahiLibrary,
  name: string,
  type: string,
  { interfaceIndex, domain }: Sighting,
  signal: AbortSignal,
): Promise<Resolved> {
  // The library blocks the whole base while it waits for a daemon that hangs.
  await askDaemon(signal);
  const { host, port, txt } = await askService(library, name, type, { interfaceIndex, domain }, signal);
  const plain = host.replace(/\.$/, '').toLowerCase();
  // IPv4 is what is dialled; the other one is asked for, for 5 s, where there is none.
  const address = (await resolveHost(plain, 4, signal)) ?? (await resolveHost(plain, 6, signal));
  if (address === undefined) throw new Error(`${plain} has no address`);
  const isLinkLocal = /^fe[89ab]/i.test(address);
  const at = isLinkLocal ? `${address}%${library.dnsSd.if_indextoname(interfaceIndex)}` : address;
  return { host: plain, port, txt, addresses: [at] };
}

function askService(
  { MDNSService, dnsSd }: AvahiLibrary,
  name: string,
  type: string,
  { interfaceIndex, domain }: Sighting,
  signal: AbortSignal,
): Promise<{ readonly host: string; readonly port: number; readonly txt: Uint8Array }> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const service = new MDNSService();
    const end = (): void => {
      signal.removeEventListener('abort', abort);
      service.stop();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    const abort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    service.on('error', fail);
    dnsSd.DNSServiceResolve(
      service.serviceRef,
      0,
      interfaceIndex,
      name,
      type,
      domain,
      (_ref, _flags, _index, errorCode, _fullName, host, port, txt) => {
        if (errorCode !== 0) return fail(new Error(`the daemon cannot resolve it (${errorCode})`));
        end();
        resolve({ host, port, txt: Uint8Array.from(txt) });
      },
      null,
    );
    service.start();
  });
}
