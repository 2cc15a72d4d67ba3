import { peerText } from '../core/log.js';
import type { Mdns, MdnsOptions } from './mdns.js';

/** For Avahi's daemon to say that it is there. */
const DAEMON_MS = 3_000;

/**
 * The machine's own Avahi by `mdns`, where that package is installed and the daemon answers; else `bonjour-service`. Says
 * which. Each is loaded only where it is used.
 */
export async function chooseMdns(options: MdnsOptions): Promise<Mdns> {
  const { log } = options;
  const chosen = await avahi(options).catch((error: Error) => error);
  if (!(chosen instanceof Error)) {
    log.info({ library: chosen.library }, "discovery uses the machine's Avahi");
    return chosen;
  }
  const { BonjourMdns } = await import('./bonjour/bonjour-mdns.js');
  const bonjour = new BonjourMdns(options).start();
  const why = peerText(chosen.message.split('\n')[0]!);
  log.info({ library: bonjour.library, why }, 'discovery answers mDNS itself: there is no Avahi to use');
  return bonjour;
}

async function avahi(options: MdnsOptions): Promise<Mdns> {
  const { askDaemon } = await import('./avahi/avahi-socket.js');
  const late = new AbortController();
  const timer = options.clock.after(DAEMON_MS, () => late.abort(new Error('the Avahi daemon does not answer')));
  try {
    await askDaemon(late.signal);
  } finally {
    timer.cancel();
  }
  const { loadAvahi } = await import('./avahi/avahi-library.js');
  const { AvahiMdns } = await import('./avahi/avahi-mdns.js');
  return new AvahiMdns(options, await loadAvahi());
}
