import type { Clock, Timer } from '../../base/core/clock.js';

/** A clock that stands still until a test advances it. */
export class ManualClock implements Clock {
  #now: number;
  #monotonic = 0;
  #order = 0;
  readonly #timers = new Map<number, { readonly due: number; readonly call: () => void }>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(delayMs: number, call: () => void): Timer {
    const key = this.#order++;
    this.#timers.set(key, { due: this.#monotonic + Math.max(0, delayMs), call });
    return { cancel: () => void this.#timers.delete(key) };
  }

  /** Timers not yet due. A leak test expects 0. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass; timers fire in the order in which they are due, and what they await gets its turn in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = [...this.#timers]
        .filter(([, timer]) => timer.due <= end)
        .sort((a, b) => a[1].due - b[1].due || a[0] - b[0])[0];
      if (next === undefined) break;
      const [key, timer] = next;
      this.#timers.delete(key);
      this.#pass(Math.max(0, timer.due - this.#monotonic));
      timer.call();
      await settle();
    }
    this.#pass(end - this.#monotonic);
    await settle();
  }

  /** The wall clock is set; nothing becomes due. */
  setNow(now: number): void {
    this.#now = now;
  }

  #pass(ms: number): void {
    this.#monotonic += ms;
    this.#now += ms;
  }
}

/** Lets everything that is ready run: promises, and a few turns of the event loop. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
