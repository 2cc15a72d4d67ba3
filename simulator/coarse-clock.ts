import type { Clock, Timer } from '../base/core/clock.js';

/** Finer than anybody watching a simulated unit can see, coarse enough for thousands of units to share a wake-up. */
export const COARSE_STEP_MS = 25;

interface Wait {
  readonly call: () => void;
}

/**
 * A clock whose timers fall due in common steps: thousands of waits cost one timer of the clock below, and none when nobody
 * waits. A call is never early and at most one step late; within a step calls come in the order of asking.
 */
export class CoarseClock implements Clock {
  readonly #clock: Clock;
  readonly #stepMs: number;
  readonly #steps = new Map<number, Set<Wait>>();
  #armed: { readonly step: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock, stepMs = COARSE_STEP_MS) {
    this.#clock = clock;
    this.#stepMs = stepMs;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, call: () => void): Timer {
    const step = Math.ceil((this.#clock.monotonic() + Math.max(0, delayMs)) / this.#stepMs);
    const waits = this.#steps.get(step) ?? new Set<Wait>();
    this.#steps.set(step, waits);
    const wait: Wait = { call };
    waits.add(wait);
    if (this.#armed === undefined || step < this.#armed.step) this.#arm(step);
    return { cancel: () => this.#cancel(step, waits, wait) };
  }

  #cancel(step: number, waits: Set<Wait>, wait: Wait): void {
    waits.delete(wait);
    if (waits.size > 0 || this.#steps.get(step) !== waits) return;
    this.#steps.delete(step);
    if (this.#steps.size === 0) this.#disarm();
  }

  #arm(step: number): void {
    this.#disarm();
    const delayMs = Math.max(0, step * this.#stepMs - this.#clock.monotonic());
    this.#armed = { step, timer: this.#clock.after(delayMs, () => this.#fire()) };
  }

  #disarm(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
  }

  #fire(): void {
    this.#armed = undefined;
    const nowMs = this.#clock.monotonic();
    const due = [...this.#steps.keys()].filter((step) => step * this.#stepMs <= nowMs).sort((a, b) => a - b);
    for (const step of due) {
      const waits = this.#steps.get(step);
      this.#steps.delete(step);
      for (const { call } of waits ?? []) call();
    }
    const next = Math.min(...this.#steps.keys());
    if (Number.isFinite(next) && (this.#armed === undefined || next < (this.#armed as { step: number }).step))
      this.#arm(next);
  }
}
