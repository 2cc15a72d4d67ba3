import { type Clock, delay } from './clock.js';
import { deferred } from './deferred.js';
import type { Kept, Store } from './store.js';

/** Until an erasure that the disk refused is asked for again. */
const AGAIN_MS = 1_000;

/** A transmission to keep, as it is to be sent. */
export interface KeptInput {
  /** UID of the peer it is for; empty for the central. */
  readonly unit: string;
  readonly octets: Uint8Array;
}

/** Transmissions that are being kept: their positions, and when they are on disk. */
export interface Keeping {
  readonly positions: readonly number[];
  /** Rejects with StoreError: none of them is kept. A rejection that nobody waits for is no crash. */
  readonly stored: Promise<void>;
}

/** Erasures that are asked for together. */
interface Erasure {
  readonly positions: number[];
  readonly done: Promise<void>;
}

/** What is kept for peers that are away, on disk: in order, until it is said that it need not be any more. */
export class KeptTransmissions {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Positions of those that are kept. */
  readonly #kept = new Set<number>();
  #left: readonly Kept[] = [];
  #lastPosition = 0;
  #working: Promise<void> = Promise.resolve();
  /** Not begun yet: what comes meanwhile goes with it. */
  #next: Erasure | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** How many are kept, those on their way to the disk among them. */
  get count(): number {
    return this.#kept.size;
  }

  /** What an earlier run kept, in order. Before anything is kept. */
  restore(left: readonly Kept[]): void {
    this.#left = left;
    for (const { position } of left) this.#kept.add(position);
    this.#lastPosition = left.at(-1)?.position ?? 0;
  }

  /** Gives what an earlier run kept, or those of it that are asked for. Each once. */
  take(isWanted: (kept: Kept) => boolean = () => true): readonly Kept[] {
    const left = this.#left;
    this.#left = left.filter((kept) => !isWanted(kept));
    return left.filter(isWanted);
  }

  keep(items: readonly KeptInput[]): Keeping {
    const at = this.#clock.now();
    const kept = items.map(({ unit, octets }): Kept => {
      this.#lastPosition += 1;
      return { position: this.#lastPosition, unit, octets, at };
    });
    const positions = kept.map(({ position }) => position);
    for (const position of positions) this.#kept.add(position);
    const stored = this.#store.commit(kept.map((each) => ({ kind: 'keep', kept: each })));
    stored.catch(() => this.#forget(positions));
    return { positions, stored };
  }

  /**
   * Resolves when they are erased. Where the base stops before the disk takes that, it never does: what is on disk still is
   * for the next run to send. Never rejects.
   */
  unkeep(positions: readonly number[]): Promise<void> {
    if (positions.length === 0) return Promise.resolve();
    if (this.#next === undefined) {
      const all: number[] = [];
      const { promise: done, resolve } = deferred<void>();
      this.#working = this.#working.then(async () => {
        this.#next = undefined;
        if (await this.#erase(all)) resolve();
      });
      this.#next = { positions: all, done };
    }
    this.#next.positions.push(...positions);
    return this.#next.done;
  }

  /** What the disk refuses from now on is not asked for again. */
  stop(): void {
    this.#stop.abort();
  }

  /** Resolves when no erasure is under way. Never rejects. */
  settled(): Promise<void> {
    return this.#working;
  }

  #forget(positions: readonly number[]): void {
    for (const position of positions) this.#kept.delete(position);
  }

  /** False: the base stops, and they are on disk still. */
  async #erase(positions: readonly number[]): Promise<boolean> {
    for (;;) {
      try {
        await this.#store.commit([{ kind: 'unkeep', positions }]);
        this.#forget(positions);
        return true;
      } catch {
        if (this.#stop.signal.aborted) return false;
        await delay(this.#clock, AGAIN_MS, this.#stop.signal).catch(() => {});
      }
    }
  }
}
