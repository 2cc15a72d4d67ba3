import { returnCodes } from '../../../protocol/iotsocket/transmission.js';
import type { Clock, Timer } from '../../core/clock.js';
import type { Peer } from './peer.js';
import type { RequestEnds } from './request-ends.js';
import { tickOf, ticks } from './ticks.js';

export interface HeldMailOptions {
  readonly ends: RequestEnds;
  /** How long the disk may hold up requests to a peer with a connection. */
  readonly patienceMs: number;
  readonly clock: Clock;
}

interface Held {
  readonly peer: Peer;
  readonly session: number;
  readonly since: number;
}

/** How often is looked whether the disk is still at it. */
const LOOK_MS = 1_000;

/**
 * Mail of peers that are back, while the disk has not let go of it. When that takes longer than an answer may, requests in
 * it are refused, as if there had been no room: nobody waits for a disk that is full.
 */
export class HeldMail {
  readonly #options: HeldMailOptions;
  readonly #held = new Set<Held>();
  #look: Timer | undefined;
  #isStopped = false;

  constructor(options: HeldMailOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopped = true;
    this.#look?.cancel();
  }

  /** Resolves when the mail is erased. */
  async wait(peer: Peer, erased: Promise<void>): Promise<void> {
    const held = { peer, session: peer.sessionNumber, since: tickOf(this.#options.clock) };
    this.#held.add(held);
    this.#lookLater();
    await erased;
    this.#held.delete(held);
    if (this.#held.size > 0) return;
    this.#look?.cancel();
    this.#look = undefined;
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#look ??= this.#options.clock.after(LOOK_MS, () => {
      this.#look = undefined;
      for (const held of this.#held) this.#check(held);
      this.#lookLater();
    });
  }

  #check({ peer, session, since }: Held): void {
    const { ends, patienceMs, clock } = this.#options;
    // Of a peer that has gone again the session is kept, and time stands.
    if (peer.sessionNumber !== session || peer.session === undefined) return;
    if (tickOf(clock) - since < ticks(patienceMs)) return;
    for (const item of peer.mail?.takeRequests() ?? []) ends.neverDelivered(peer, item, returnCodes.noDestination);
  }
}
