import type { Advertisement } from 'mdns/lib/advertisement.js';
import type { Browser } from 'mdns/lib/browser.js';
import type dnsSd from 'mdns/lib/dns_sd.js';
import type { MDNSService } from 'mdns/lib/mdns_service.js';

export type { Advertisement, Browser, MDNSService };

export interface AvahiLibrary {
  readonly Browser: typeof Browser;
  readonly Advertisement: typeof Advertisement;
  readonly MDNSService: typeof MDNSService;
  readonly dnsSd: typeof dnsSd;
}

/** Rejects where the optional package `mdns` is not installed, or was not compiled for this machine. */
export async function loadAvahi(): Promise<AvahiLibrary> {
  // Else Avahi's compatibility library tells whoever runs the base to write another program.
  process.env.AVAHI_COMPAT_NOWARN = '1';
  const [{ default: dnsSd }, { MDNSService }, { Browser }, { Advertisement }] = await Promise.all([
    import('mdns/lib/dns_sd.js'),
    import('mdns/lib/mdns_service.js'),
    import('mdns/lib/browser.js'),
    import('mdns/lib/advertisement.js'),
  ]);
  return { Browser, Advertisement, MDNSService, dnsSd };
}
