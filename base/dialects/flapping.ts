/** More connections of one unit from one address in a minute than a sound unit makes (reference/limits.md, "Takeover / flapping"). */
const MAX_PER_MINUTE = 15;
/** Past that the pair is refused for so long; others are not touched. */
const REFUSED_MS = 300_000;
/** Pairs remembered; past it the oldest is forgotten. Only units that have proved themselves get here. */
const MAX_PAIRS = 1_024;
const MINUTE_MS = 60_000;

interface Pair {
  /** Monotonic moments of the last connections, at most as many as are allowed in a minute. */
  readonly taken: number[];
  refusedUntil: number;
}

/** Two devices with one UID would take the link from each other for ever; this ends it without locking out the right one. */
export class Flapping {
  readonly #maxPerMinute: number;
  readonly #pairs = new Map<string, Pair>();

  constructor(maxPerMinute = MAX_PER_MINUTE) {
    this.#maxPerMinute = maxPerMinute;
  }

  /** True when this unit may connect from this address once more. */
  allows(uid: string, host: string, nowMs: number): boolean {
    const key = `${uid} ${host}`;
    const pair = this.#pairs.get(key);
    if (pair === undefined) {
      this.#pairs.set(key, { taken: [nowMs], refusedUntil: Number.NEGATIVE_INFINITY });
      if (this.#pairs.size > MAX_PAIRS) this.#pairs.delete(this.#pairs.keys().next().value!);
      return true;
    }
    this.#pairs.delete(key);
    this.#pairs.set(key, pair);
    if (nowMs < pair.refusedUntil) return false;
    while (pair.taken.length > 0 && nowMs - pair.taken[0]! >= MINUTE_MS) pair.taken.shift();
    if (pair.taken.length >= this.#maxPerMinute) {
      pair.refusedUntil = nowMs + REFUSED_MS;
      pair.taken.length = 0;
      return false;
    }
    pair.taken.push(nowMs);
    return true;
  }
}
