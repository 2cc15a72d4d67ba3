import type { Bus, Unsubscribe } from '../core/bus.js';
import { type OutcomeKind, outcomeKinds } from '../core/messages.js';

/** How many reports, commands and outcomes there were since the start. */
export class MessageCounts {
  readonly #bus: Bus;
  readonly #outcomes = Object.fromEntries(outcomeKinds.map((kind) => [kind, 0])) as Record<OutcomeKind, number>;
  #reports = 0;
  #commands = 0;
  #subscriptions: Unsubscribe[] = [];

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  get reports(): number {
    return this.#reports;
  }

  /** That were accepted. */
  get commands(): number {
    return this.#commands;
  }

  /** By kind; of commands that were refused, too. */
  get outcomes(): Readonly<Record<OutcomeKind, number>> {
    return this.#outcomes;
  }

  start(): void {
    this.#subscriptions = [
      this.#bus.subscribe('report', () => {
        this.#reports += 1;
      }),
      this.#bus.subscribe('command', () => {
        this.#commands += 1;
      }),
      this.#bus.subscribe('outcome', ({ outcome }) => {
        this.#outcomes[outcome] += 1;
      }),
    ];
  }

  /** May be called twice. */
  stop(): void {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
  }
}
