import type { Outcome } from './messages.js';

/** How long, and how many per unit, command ids are remembered (reference/limits.md, "Request": dedup window). */
export const REMEMBERED_MS = 600_000;
export const REMEMBERED_PER_UNIT = 256;

interface Remembered {
  readonly at: number;
  outcome: Outcome['outcome'] | undefined;
}

/** The ids of a unit's latest commands, so that one sent twice is done once. */
export class RecentCommands {
  readonly #byId = new Map<string, Remembered>();

  /** How that command ended, `under way` when it has not; `undefined` when the id is new, which it then no longer is. */
  seen(id: string, nowMs: number): Outcome['outcome'] | 'under way' | undefined {
    this.#forgetOld(nowMs);
    const known = this.#byId.get(id);
    if (known !== undefined) return known.outcome ?? 'under way';
    this.#byId.set(id, { at: nowMs, outcome: undefined });
    if (this.#byId.size > REMEMBERED_PER_UNIT) this.#byId.delete(this.#oldest()!);
    return undefined;
  }

  ended(id: string, outcome: Outcome['outcome']): void {
    const known = this.#byId.get(id);
    if (known !== undefined) known.outcome = outcome;
  }

  #forgetOld(nowMs: number): void {
    for (const [id, { at }] of this.#byId) {
      if (nowMs - at < REMEMBERED_MS) return;
      this.#byId.delete(id);
    }
  }

  #oldest(): string | undefined {
    return this.#byId.keys().next().value;
  }
}
