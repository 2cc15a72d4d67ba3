import type { Clock, Timer } from '../../core/clock.js';
import { type InFlight, KEPT, type Waiter } from './in-flight.js';
import type { Peer } from './peer.js';
import { TICK_MS, tickOf, ticks } from './ticks.js';

/** How long an answer is waited for that nobody wants any more: its number is not used for another request meanwhile. */
export const LATE_ANSWER_MS = 60_000;

/** `asked`: of an object, by the central or the base. `asks`: by an object, of the central. */
export type Direction = 'asked' | 'asks';

export interface RequestTableOptions {
  readonly central: Peer | undefined;
  readonly requestTimeoutMs: number;
  /** Requests without an answer, and answers still owed. */
  readonly maxRequests: number;
  /** The time of a request is over; it is still in the table. */
  readonly timedOut: (peer: Peer, direction: Direction, tracking: number, state: number | Waiter, tick: number) => void;
  readonly clock: Clock;
}

/** Requests under way by (object, direction, number): none is answered twice, late, or by whom it was not asked of. */
export class RequestTable {
  readonly #options: RequestTableOptions;
  readonly #timeout: number;
  readonly #late = ticks(LATE_ANSWER_MS);
  /** Objects with numbers in flight. */
  readonly #active = new Set<Peer>();
  #count = 0;
  #sweep: Timer | undefined;
  #isStopped = false;

  constructor(options: RequestTableOptions) {
    this.#options = options;
    this.#timeout = ticks(options.requestTimeoutMs);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#options.maxRequests;
  }

  /** Objects with numbers in flight. */
  get active(): Iterable<Peer> {
    return this.#active;
  }

  stop(): void {
    this.#isStopped = true;
    this.#sweep?.cancel();
  }

  /** When the time of a request that is delivered now is over. */
  deadline(tick: number): number {
    return tick + this.#timeout;
  }

  set(peer: Peer, direction: Direction, tracking: number, state: number | Waiter): void {
    peer[direction] ??= new Map();
    const inFlight = peer[direction];
    if (!inFlight.has(tracking)) this.#count += 1;
    inFlight.set(tracking, state);
    this.#active.add(peer);
    if (this.#sweep === undefined && !this.#isStopped) this.#sweepLater();
  }

  delete(peer: Peer, direction: Direction, tracking: number): void {
    if (peer[direction]?.delete(tracking)) this.#count -= 1;
  }

  /** Nobody waits for the answer any more; until it comes the number is not free. */
  owe(peer: Peer, direction: Direction, tracking: number, tick: number): void {
    peer[direction]?.set(tracking, -(tick + this.#late));
  }

  /** Everything about a peer that is gone. */
  forget(peer: Peer): void {
    this.#count -= (peer.asked?.size ?? 0) + (peer.asks?.size ?? 0);
    peer.asked = undefined;
    peer.asks = undefined;
    this.#active.delete(peer);
  }

  /** One more, or one less, that is counted elsewhere. */
  add(count: 1 | -1): void {
    this.#count += count;
  }

  /** Clocks that stood while the answerer was away go on. */
  goOn(peer: Peer, awayTicks: number): void {
    if (awayTicks === 0) return;
    if (!peer.isCentral) shift(peer.asked, awayTicks);
    else for (const object of this.#active) shift(object.asks, awayTicks);
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(TICK_MS, () => {
      this.#sweep = undefined;
      this.#sweepNow(tickOf(this.#options.clock));
      if (this.#active.size > 0 && !this.#isStopped) this.#sweepLater();
    });
  }

  #sweepNow(tick: number): void {
    const isCentralAway = (this.#options.central?.keptUntil ?? 0) > 0;
    for (const peer of this.#active) {
      if (peer.asked !== undefined) this.#sweepOne(peer, 'asked', peer.asked, peer.keptUntil > 0, tick);
      if (peer.asks !== undefined) this.#sweepOne(peer, 'asks', peer.asks, isCentralAway, tick);
      if ((peer.asked?.size ?? 0) + (peer.asks?.size ?? 0) === 0) this.#active.delete(peer);
    }
  }

  /** `isAway`: the clock of a request stands while its answerer's session is kept; that of the base's own never does. */
  #sweepOne(peer: Peer, direction: Direction, inFlight: InFlight, isAway: boolean, tick: number): void {
    for (const [tracking, state] of inFlight) {
      if (typeof state === 'number' && state < 0) {
        if (-state <= tick) this.delete(peer, direction, tracking);
      } else if (isOver(state, isAway, tick)) this.#options.timedOut(peer, direction, tracking, state, tick);
    }
  }
}

function isOver(state: number | Waiter, isAway: boolean, tick: number): boolean {
  if (typeof state !== 'number') return state.deadline <= tick;
  return state !== KEPT && !isAway && state <= tick;
}

function shift(inFlight: InFlight | undefined, by: number): void {
  for (const [tracking, state] of inFlight ?? [])
    if (typeof state === 'number' && state > 0) inFlight!.set(tracking, state + by);
}
