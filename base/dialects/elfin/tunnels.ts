import type { Clock } from '../../core/clock.js';
import type { Device } from './device.js';
import type { ElfinSession } from './elfin-session.js';
import type { Tunnel } from './tunnel.js';

export interface TunnelsOptions {
  readonly clock: Clock;
  /** A device is in another tunnel now, or in none. */
  readonly changed: (device: Device) => void;
}

/** What is to be an end of a tunnel. */
export interface EndOf {
  readonly session: ElfinSession;
  readonly device: Device | undefined;
}

/** All tunnels. A connection is the first end of at most one, and the second of at most one. */
export class Tunnels {
  readonly #options: TunnelsOptions;
  /** In the order in which they were opened. */
  readonly #tunnels = new Set<Tunnel>();
  #opened = 0;

  constructor(options: TunnelsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#tunnels.size;
  }

  /** How many there were. */
  get opened(): number {
    return this.#opened;
  }

  all(): Iterable<Tunnel> {
    return this.#tunnels;
  }

  /** Takes the place of those in which one of the two has the same part. */
  open(user: string, first: EndOf, second: EndOf): void {
    this.close(first.session.asFirst);
    this.close(second.session.asSecond);
    this.#opened += 1;
    const nothingSent = { octets: 0, messages: 0 };
    const tunnel: Tunnel = {
      user,
      first: { ...first, ...nothingSent },
      second: { ...second, ...nothingSent },
      openedAt: this.#options.clock.now(),
      ordinal: this.#opened,
      isOpen: true,
    };
    this.#tunnels.add(tunnel);
    first.session.asFirst = tunnel;
    second.session.asSecond = tunnel;
    this.#tell(tunnel);
  }

  /** Nothing goes through it any more; what was taken of its ends is still written. */
  close(tunnel: Tunnel | undefined): void {
    if (tunnel === undefined || !tunnel.isOpen) return;
    const { first, second } = tunnel;
    tunnel.isOpen = false;
    this.#tunnels.delete(tunnel);
    first.session.asFirst = undefined;
    second.session.asSecond = undefined;
    this.#tell(tunnel);
    first.session.goesOnWithout(second.session);
    second.session.goesOnWithout(first.session);
  }

  closeOf(session: ElfinSession): void {
    this.close(session.asFirst);
    this.close(session.asSecond);
  }

  closeOfUser(uuid: string): void {
    for (const tunnel of this.#tunnels) if (tunnel.user === uuid) this.close(tunnel);
  }

  #tell({ first, second }: Tunnel): void {
    for (const { device } of [first, second]) if (device !== undefined) this.#options.changed(device);
  }
}
