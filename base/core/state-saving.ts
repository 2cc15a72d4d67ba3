import type { AbsentUnits, Saving } from './absent-units.js';
import type { Clock, Timer } from './clock.js';
import type { Registry } from './registry.js';
import type { Store } from './store.js';

/** How often units' states are saved; what is newer is made again from their reports. */
export const SAVE_EVERY_MS = 5_000;
/** States saved in one commit: the disk does nothing else meanwhile. */
const STATES_AT_ONCE = 256;

export interface StateSavingOptions {
  readonly registry: Registry;
  readonly absent: AbsentUnits;
  readonly store: Store;
  readonly clock: Clock;
}

/** Saves what is known of units, now and then: what has changed, and no more. */
export class StateSaving {
  readonly #options: StateSavingOptions;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: StateSavingOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.after(SAVE_EVERY_MS, () => void this.save().then(() => this.start()));
  }

  /** Saves no more by itself. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects: what could not be saved is still to be saved the next time. */
  async save(): Promise<void> {
    const { registry, absent, store } = this.#options;
    const mark = store.mark();
    const dirty: string[] = [];
    for (const record of registry.all()) if (record.isDirty) dirty.push(record.unit.uid);
    dirty.push(...absent.unsaved());
    for (let from = 0; from < dirty.length; from += STATES_AT_ONCE) {
      const some = dirty.slice(from, from + STATES_AT_ONCE).flatMap((uid) => this.#savingOf(uid) ?? []);
      const states = some.map(({ unit }) => unit);
      const isLast = from + STATES_AT_ONCE >= dirty.length;
      try {
        await store.save(states, isLast ? mark : undefined);
      } catch {
        return;
      }
      for (const { saved } of some) saved();
    }
  }

  /** As it is now: while the disk works, units come, go and are forgotten. */
  #savingOf(uid: string): Saving | undefined {
    const { registry, absent } = this.#options;
    const record = registry.get(uid);
    if (record === undefined) return absent.savingOf(uid);
    if (!record.isDirty) return undefined;
    const { state, saved } = record.save();
    return { unit: { unit: uid, state }, saved };
  }
}
