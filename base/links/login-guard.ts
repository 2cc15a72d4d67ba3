const MINUTE_MS = 60_000;
/** The longest refusal (reference/limits.md, "Rate limits"). */
const MAX_REFUSED_MS = 15 * MINUTE_MS;
/** Pairs and addresses remembered; past it the oldest is forgotten. */
export const MAX_REMEMBERED = 4_096;

interface Failures {
  count: number;
  /** Monotonic: when the minute began. */
  since: number;
  refusedUntil: number;
  /** How long the next refusal lasts. */
  nextMs: number;
}

/**
 * Slows down who guesses keys. Of one address and UID, so many wrong logins a minute refuse the pair for a minute, the next
 * time for two, up to 15; others of that address are not touched but that a wrong login is answered later.
 */
export class LoginGuard {
  readonly #maxFailures: number;
  /** Oldest first. */
  readonly #failures = new Map<string, Failures>();

  constructor(maxFailures: number) {
    this.#maxFailures = maxFailures;
  }

  /** Whether a login of that UID from that address may be looked at. */
  allows(address: string, key: string, nowMs: number): boolean {
    return this.refusedMs(address, key, nowMs) === 0;
  }

  /** How long it may not be; 0: it may. */
  refusedMs(address: string, key: string, nowMs: number): number {
    if (this.#failures.size === 0) return 0;
    return Math.max(0, (this.#failures.get(`${address} ${key}`)?.refusedUntil ?? 0) - nowMs);
  }

  /** A wrong login. True: the address has had so many that its answer is to wait. */
  failed(address: string, key: string, nowMs: number): boolean {
    this.#count(`${address} ${key}`, nowMs);
    const ofAddress = this.#count(address, nowMs);
    return ofAddress.count > this.#maxFailures || nowMs < ofAddress.refusedUntil;
  }

  succeeded(address: string, key: string): void {
    if (this.#failures.size > 0) this.#failures.delete(`${address} ${key}`);
  }

  #count(name: string, nowMs: number): Failures {
    const known = this.#failures.get(name);
    const entry = known ?? { count: 0, since: nowMs, refusedUntil: Number.NEGATIVE_INFINITY, nextMs: MINUTE_MS };
    this.#failures.delete(name);
    this.#failures.set(name, entry);
    if (this.#failures.size > MAX_REMEMBERED) this.#failures.delete(this.#failures.keys().next().value!);
    if (nowMs - entry.since >= MINUTE_MS) {
      // Who has waited quietly as long as his last refusal begins anew.
      if (nowMs - entry.since >= MINUTE_MS + entry.nextMs) entry.nextMs = MINUTE_MS;
      entry.count = 0;
      entry.since = nowMs;
    }
    entry.count += 1;
    if (entry.count >= this.#maxFailures) {
      entry.refusedUntil = nowMs + entry.nextMs;
      entry.nextMs = Math.min(MAX_REFUSED_MS, 2 * entry.nextMs);
      entry.count = 0;
      entry.since = nowMs;
    }
    return entry;
  }
}
