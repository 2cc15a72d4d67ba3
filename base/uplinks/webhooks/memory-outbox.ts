import type { NewItem, Outbox, OutboxItem } from './outbox.js';

/** Items of one endpoint (reference/limits.md, Webhook): three hours of one report a second. */
export const MAX_ITEMS = 10_000;
/** Octets of one endpoint's items: what a Pi can spare. */
export const MAX_OCTETS = 64 * 1024 * 1024;
/** What an item costs beside its texts. */
const ITEM_OVERHEAD = 128;

export interface MemoryOutboxOptions {
  readonly maxItems?: number;
  readonly maxOctets?: number;
  /** Where only the newest are worth sending: items of one key; the oldest of that key is dropped past it. */
  readonly maxItemsPerKey?: number;
}

interface Entry extends NewItem {
  readonly position: number;
  readonly lane: Lane;
  readonly octets: number;
  attempts: number;
}

interface Lane {
  readonly key: string;
  readonly entries: Entry[];
  isTaken: boolean;
  dueAt: number;
}

/** An outbox that forgets when the process ends. Full: the oldest is dropped, what is being sent excepted. */
export class MemoryOutbox implements Outbox {
  readonly #maxItems: number;
  readonly #maxOctets: number;
  readonly #maxItemsPerKey: number;
  /** By position, and so in order of age. */
  readonly #entries = new Map<number, Entry>();
  readonly #lanes = new Map<string, Lane>();
  readonly #ready = new Set<Lane>();
  readonly #waiting = new Set<Lane>();
  #octets = 0;
  #nextPosition = 0;
  #earliest = Number.POSITIVE_INFINITY;

  constructor(options: MemoryOutboxOptions = {}) {
    this.#maxItems = options.maxItems ?? MAX_ITEMS;
    this.#maxOctets = options.maxOctets ?? MAX_OCTETS;
    this.#maxItemsPerKey = options.maxItemsPerKey ?? Number.POSITIVE_INFINITY;
  }

  get count(): number {
    return this.#entries.size;
  }

  get octets(): number {
    return this.#octets;
  }

  add(item: NewItem): readonly NewItem[] {
    const octets = ITEM_OVERHEAD + Buffer.byteLength(item.id) + Buffer.byteLength(item.body);
    const dropped: NewItem[] = [];
    const drop = (entry: Entry): void => {
      dropped.push(entry);
      this.remove(entry.position);
    };
    const lane = this.#lanes.get(item.key);
    if (lane !== undefined && lane.entries.length >= this.#maxItemsPerKey) {
      const oldest = lane.entries[lane.isTaken ? 1 : 0];
      if (oldest === undefined) return [item];
      drop(oldest);
    }
    if (octets > this.#maxOctets) return [...dropped, item];
    while (this.#entries.size >= this.#maxItems || this.#octets + octets > this.#maxOctets) {
      const oldest = this.#oldest();
      if (oldest === undefined) return [...dropped, item];
      drop(oldest);
    }
    this.#append(item, octets);
    return dropped;
  }

  take(now: number): OutboxItem | undefined {
    if (now >= this.#earliest) this.#wake((lane) => lane.dueAt <= now);
    const [lane] = this.#ready;
    return lane && this.#take(lane);
  }

  takeEarly(): OutboxItem | undefined {
    for (const { lane } of this.#entries.values()) if (!lane.isTaken) return this.#take(lane);
    return undefined;
  }

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

  retry(position: number, dueAt: number): void {
    const entry = this.#entries.get(position);
    if (entry === undefined) return;
    entry.attempts += 1;
    entry.lane.dueAt = dueAt;
    this.putBack(position);
  }

  putBack(position: number): void {
    const lane = this.#entries.get(position)?.lane;
    if (lane === undefined) return;
    lane.isTaken = false;
    this.#place(lane);
  }

  hurry(now: number): void {
    this.#wake((lane) => {
      lane.dueAt = Math.min(lane.dueAt, now);
      return true;
    });
  }

  nextDueAt(): number | undefined {
    if (this.#ready.size > 0) return Number.NEGATIVE_INFINITY;
    return this.#waiting.size === 0 ? undefined : this.#earliest;
  }

  clear(): number {
    const count = this.#entries.size;
    this.#entries.clear();
    this.#lanes.clear();
    this.#ready.clear();
    this.#waiting.clear();
    this.#octets = 0;
    this.#earliest = Number.POSITIVE_INFINITY;
    return count;
  }

  #append(item: NewItem, octets: number): void {
    let lane = this.#lanes.get(item.key);
    if (lane === undefined) {
      lane = { key: item.key, entries: [], isTaken: false, dueAt: Number.NEGATIVE_INFINITY };
      this.#lanes.set(item.key, lane);
    }
    const { id, key, body } = item;
    const entry: Entry = { id, key, body, position: this.#nextPosition++, lane, octets, attempts: 0 };
    lane.entries.push(entry);
    this.#entries.set(entry.position, entry);
    this.#octets += octets;
    if (lane.entries.length === 1) this.#place(lane);
  }

  /** The oldest that is not being sent. At most as many are skipped as are in flight. */
  #oldest(): Entry | undefined {
    for (const entry of this.#entries.values())
      if (!(entry.lane.isTaken && entry.lane.entries[0] === entry)) return entry;
    return undefined;
  }

  #take(lane: Lane): OutboxItem {
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
