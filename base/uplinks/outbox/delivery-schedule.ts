import type { QueueEntry } from '../../core/queue.js';

/** An item that waits. Times are ms of `Clock.monotonic`. */
export interface Scheduled {
  /** Its place in the queue; what the methods name it by. */
  readonly position: number;
  readonly id: string;
  readonly key: string;
  readonly octets: number;
  /** Attempts that failed. */
  readonly attempts: number;
}

interface Entry extends Scheduled {
  readonly lane: Lane;
  attempts: number;
}

interface Lane {
  readonly key: string;
  /** By position. */
  readonly entries: Entry[];
  isTaken: boolean;
  dueAt: number;
}

/**
 * What is due when, for one receiver: in order for each key, one at a time. A taken item blocks its key until `remove`,
 * `retry` or `putBack`. It holds no bodies, so it is small however much waits.
 */
export class DeliverySchedule {
  /** By position, and so in order of age, but for what was replayed. */
  readonly #entries = new Map<number, Entry>();
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new Set<Lane>();
  readonly #waiting = new Set<Lane>();
  #octets = 0;
  #earliest = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.#entries.size;
  }

  get octets(): number {
    return this.#octets;
  }

  /** `dueAt` counts when it is the first of its key; otherwise it is due as soon as it is. */
  add({ position, id, key, octets, attempts }: Omit<QueueEntry, 'dueAt'>, dueAt = Number.NEGATIVE_INFINITY): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, entries: [], isTaken: false, dueAt };
      this.#lanes.set(key, lane);
    }
    const entry: Entry = { position, id, key, octets, attempts, lane };
    // What is replayed goes to its old place, but never before what is being sent.
    let at = lane.entries.length;
    while (at > (lane.isTaken ? 1 : 0) && lane.entries[at - 1]!.position > position) at -= 1;
    lane.entries.splice(at, 0, entry);
    if (at === 0) lane.dueAt = dueAt;
    this.#entries.set(position, entry);
    this.#octets += octets;
    if (at === 0) this.#place(lane);
  }

  /** The next item that is due. */
  take(now: number): Scheduled | undefined {
    if (now >= this.#earliest) this.#wake((lane) => lane.dueAt <= now);
    const [lane] = this.#ready;
    return lane && this.#take(lane);
  }

  /** The oldest item that could be taken if it were due: for a probe. */
  takeEarly(): Scheduled | undefined {
    for (const { lane } of this.#entries.values()) if (!lane.isTaken) return this.#take(lane);
    return undefined;
  }

  /** Delivered, or given up. */
  remove(position: number): void {
    const entry = this.#entries.get(position);
    if (entry === undefined) return;
    const { lane } = entry;
    this.#entries.delete(position);
    this.#octets -= entry.octets;
    const at = lane.entries.indexOf(entry);
    lane.entries.splice(at, 1);
    if (at > 0) return;
    // the head is gone: whoever is next is due at once
    lane.isTaken = false;
    lane.dueAt = Number.NEGATIVE_INFINITY;
    this.#place(lane);
  }

  /** It failed: due again at that time. */
  retry(position: number, dueAt: number): void {
    const entry = this.#entries.get(position);
    if (entry === undefined) return;
    entry.attempts += 1;
    entry.lane.dueAt = dueAt;
    this.putBack(position);
  }

  /** As if it had not been taken. */
  putBack(position: number): void {
    const lane = this.#entries.get(position)?.lane;
    if (lane === undefined) return;
    lane.isTaken = false;
    this.#place(lane);
  }

  /** What waits for another attempt is due now: the receiver is back. */
  hurry(now: number): void {
    this.#wake((lane) => {
      lane.dueAt = Math.min(lane.dueAt, now);
      return true;
    });
  }

  /** When the next item is due; undefined when none waits for time to pass. */
  nextDueAt(): number | undefined {
    if (this.#ready.size > 0) return Number.NEGATIVE_INFINITY;
    return this.#waiting.size === 0 ? undefined : this.#earliest;
  }

  /** The oldest of that key that is not being sent, and how many the key has. */
  oldestOf(key: string): { readonly position: number | undefined; readonly count: number } {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return { position: undefined, count: 0 };
    return { position: lane.entries[lane.isTaken ? 1 : 0]?.position, count: lane.entries.length };
  }

  at(position: number): Scheduled | undefined {
    return this.#entries.get(position);
  }

  /** All of it, oldest first. */
  all(): readonly Scheduled[] {
    return [...this.#entries.values()];
  }

  clear(): void {
    this.#entries.clear();
    this.#lanes.clear();
    this.#ready.clear();
    this.#waiting.clear();
    this.#octets = 0;
    this.#earliest = Number.POSITIVE_INFINITY;
  }

  #take(lane: Lane): Scheduled {
    lane.isTaken = true;
    this.#ready.delete(lane);
    this.#waiting.delete(lane);
    return lane.entries[0]!;
  }

  #place(lane: Lane): void {
    this.#ready.delete(lane);
    this.#waiting.delete(lane);
    if (lane.entries.length === 0) this.#lanes.delete(lane.key);
    else if (lane.dueAt === Number.NEGATIVE_INFINITY) this.#ready.add(lane);
    else {
      this.#waiting.add(lane);
      this.#earliest = Math.min(this.#earliest, lane.dueAt);
    }
  }

  #wake(isDue: (lane: Lane) => boolean): void {
    this.#earliest = Number.POSITIVE_INFINITY;
    for (const lane of this.#waiting) {
      if (isDue(lane)) {
        this.#waiting.delete(lane);
        this.#ready.add(lane);
      } else this.#earliest = Math.min(this.#earliest, lane.dueAt);
    }
  }
}
