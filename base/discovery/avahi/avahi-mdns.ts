import type { Advertised, Mdns, MdnsEvent, MdnsOptions } from '../mdns.js';
import { AvahiBrowsing } from './avahi-browsing.js';
import type { AvahiLibrary } from './avahi-library.js';
import { HeldService } from './held-service.js';

/** mDNS by the machine's own Avahi daemon, over the package `mdns`. */
export class AvahiMdns implements Mdns {
  readonly library = 'mdns';
  readonly #options: MdnsOptions;
  readonly #avahi: AvahiLibrary;
  readonly #begun = new Set<{ stop(): void }>();

  constructor(options: MdnsOptions, library: AvahiLibrary) {
    this.#options = options;
    this.#avahi = library;
  }

  browse(type: string, hear: (event: MdnsEvent) => void): () => void {
    const browsing = new AvahiBrowsing({ ...this.#options, library: this.#avahi, type, hear }).start();
    this.#begun.add(browsing);
    return () => {
      this.#begun.delete(browsing);
      browsing.stop();
    };
  }

  advertise({ type, name, port, txt }: Advertised): void {
    const { interface: networkInterface, clock, random, log } = this.#options;
    const options = { name, txtRecord: txt, ...(networkInterface && { networkInterface }) };
    const make = () => new this.#avahi.Advertisement(type, port, options);
    this.#begun.add(new HeldService({ make, clock, random, log }).start());
  }

  async close(): Promise<void> {
    for (const each of this.#begun) each.stop();
    this.#begun.clear();
  }
}
