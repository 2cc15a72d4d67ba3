import type { YamqttLimits } from './yamqtt-limits.js';

/** Past so many a socket is given little at a time: what it has cannot be dropped any more. */
export const MANY_SLOW = 256;

/** A client that does not take what it is sent. */
export interface SlowClient {
  /** Octets that wait for it here. */
  readonly waiting: number;
  /** Drops its oldest messages until no more than so many octets wait. */
  dropTo(octets: number): void;
}

/**
 * All clients that are slow now, and how much waits for them together. Messages that several of them share count for each, so
 * memory has less than the sum says; the buffers that they lie in may be twice as long. Past the bound whoever has more than
 * its share drops the rest. All shares together are half of the bound: all clients are looked at only when as much has come
 * anew.
 */
export class SlowClients {
  readonly #limits: Pick<YamqttLimits, 'unsentOctetsInAll'>;
  readonly #clients = new Set<SlowClient>();
  #octets = 0;

  constructor(limits: Pick<YamqttLimits, 'unsentOctetsInAll'>) {
    this.#limits = limits;
  }

  /** Octets that wait for all of them. */
  get octets(): number {
    return this.#octets;
  }

  get areMany(): boolean {
    return this.#clients.size > MANY_SLOW;
  }

  /** That client is slow from now on. It must not be already. */
  enter(client: SlowClient): void {
    this.#clients.add(client);
    this.changed(client.waiting);
  }

  /** It takes again, or is no more. To be called before anything of what waits for it goes. May be called twice. */
  leave(client: SlowClient): void {
    if (this.#clients.delete(client)) this.#octets -= client.waiting;
  }

  /** So much more waits for one of them than before, or less. */
  changed(octets: number): void {
    this.#octets += octets;
    if (this.#octets > this.#limits.unsentOctetsInAll) this.#shorten();
  }

  #shorten(): void {
    const share = this.#limits.unsentOctetsInAll / 2 / this.#clients.size;
    for (const client of this.#clients) {
      const before = client.waiting;
      if (before <= share) continue;
      client.dropTo(share);
      this.#octets -= before - client.waiting;
    }
  }
}
