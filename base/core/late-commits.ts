import type { Log } from './log.js';
import type { Change, Store } from './store.js';

/** What waits for the disk may take so much memory; a disk that is busy for seconds, as a card is, holds nothing up. */
export const MAX_LATE = 8_192;
export const MAX_LATE_OCTETS = 32 * 1024 * 1024;
/** Of one commit: what comes while the disk works goes together. */
const AT_ONCE = 256;
/** A row of the history is at most so large. */
const ROW_OCTETS = 4_096;

interface Late {
  readonly changes: readonly Change[];
  readonly octets: number;
  done(isStored: boolean): void;
}

/** Changes that nobody waits for: committed in order, soon, together; what finds no room or is refused is lost and counted. */
export class LateCommits {
  readonly #store: Store;
  readonly #log: Log;
  #waiting: Late[] = [];
  #count = 0;
  #octets = 0;
  #lost = 0;
  #isFailing = false;
  #working: Promise<void> | undefined;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Since the base started. */
  get lost(): number {
    return this.#lost;
  }

  /** `done` is called once: when it is on disk, or lost. */
  add(changes: readonly Change[], done: (isStored: boolean) => void): void {
    const octets = sizeOf(changes);
    if (this.#count >= MAX_LATE || this.#octets + octets > MAX_LATE_OCTETS) {
      this.#lose(1, 'more waits for the disk than there is room for');
      return done(false);
    }
    this.#count += 1;
    this.#octets += octets;
    this.#waiting.push({ changes, octets, done });
    this.#working ??= this.#work();
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #work(): Promise<void> {
    // What comes in the same turn goes with it.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, AT_ONCE);
      const reason = await this.#store.commit(group.flatMap(({ changes }) => changes)).then(
        () => undefined,
        (error: Error) => error.message,
      );
      for (const { octets } of group) this.#octets -= octets;
      this.#count -= group.length;
      if (reason !== undefined) this.#lose(group.length, reason);
      else if (this.#isFailing && this.#waiting.length < AT_ONCE) this.#recover();
      for (const { done } of group) done(reason === undefined);
    }
    this.#working = undefined;
  }

  #lose(count: number, reason: string): void {
    this.#lost += count;
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#log.warn({ reason }, 'telemetry is told and not stored; said once');
  }

  #recover(): void {
    this.#isFailing = false;
    this.#log.info({ lost: this.#lost }, 'telemetry is stored again');
  }
}

function sizeOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + (change.kind === 'item' ? change.addition.entry.octets : ROW_OCTETS), 0);
}
