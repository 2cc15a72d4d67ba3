import type { Outcome } from './messages.js';

/** How long, and how many per unit, results are remembered (reference/limits.md, "Request": dedup window). */
export const REMEMBERED_MS = 600_000;
export const REMEMBERED_PER_UNIT = 256;

interface Result {
  /** Its place in the store. */
  readonly ordinal: number;
  /** Monotonic: when it ended. */
  readonly at: number;
  readonly outcome: Outcome;
}

/** A unit's commands by id, while they have no outcome and for a while after, so that one sent twice is done once. */
export class RecentCommands {
  /** Places of those without an outcome: as many as may wait. */
  readonly #open = new Map<string, number>();
  /** Oldest first. */
  readonly #results = new Map<string, Result>();
  #dropped: number[] = [];

  /** Its outcome, or that it has none yet; `undefined`: nobody knows it. */
  find(id: string, nowMs: number): Outcome | 'under way' | undefined {
    this.#forgetOld(nowMs);
    return this.#open.has(id) ? 'under way' : this.#results.get(id)?.outcome;
  }

  add(id: string, ordinal: number): void {
    this.#open.set(id, ordinal);
  }

  ended(id: string, ordinal: number, outcome: Outcome, atMs: number): void {
    if (this.#open.get(id) === ordinal) this.#open.delete(id);
    this.#results.delete(id);
    this.#results.set(id, { ordinal, at: atMs, outcome });
    if (this.#results.size > REMEMBERED_PER_UNIT) this.#drop(this.#results.keys().next().value!);
  }

  /** It was not accepted after all. */
  remove(id: string, ordinal: number): void {
    if (this.#open.get(id) === ordinal) this.#open.delete(id);
  }

  /** Places in the store of those that had to make room since the last time. */
  takeDropped(): readonly number[] {
    const dropped = this.#dropped;
    this.#dropped = [];
    return dropped;
  }

  /** Results alone: what has none yet will have one. */
  forgetResults(): void {
    this.#results.clear();
  }

  #forgetOld(nowMs: number): void {
    for (const [id, { at }] of this.#results) {
      if (nowMs - at < REMEMBERED_MS) return;
      this.#results.delete(id);
    }
  }

  #drop(id: string): void {
    this.#dropped.push(this.#results.get(id)!.ordinal);
    this.#results.delete(id);
  }
}
