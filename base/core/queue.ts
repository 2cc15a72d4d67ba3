/** What is to be told a central. */
export interface QueueItem {
  /** Its identity at the receiver; the same in every attempt. */
  readonly id: string;
  /** Items of one key are delivered in order, one at a time: the unit's UID. */
  readonly key: string;
  readonly body: string;
}

/** An item that waits, without its body. */
export interface QueueEntry {
  /** Its place in the queue, and what it is named by. Grows. */
  readonly position: number;
  readonly id: string;
  readonly key: string;
  readonly octets: number;
  /** Attempts that failed. */
  readonly attempts: number;
  /** When it is to be tried again, Unix ms. */
  readonly dueAt: number;
}

/** An item on its way into a queue: it is there when the commit that it is part of is done. */
export interface Addition {
  readonly queue: string;
  readonly entry: QueueEntry;
  readonly body: string;
  /** Why it is not to wait but to be a dead letter at once. */
  readonly dead?: string | undefined;
}

export interface DeadLetter {
  readonly position: number;
  readonly id: string;
  readonly key: string;
  readonly octets: number;
  readonly attempts: number;
  readonly diedAt: number;
  readonly reason: string;
}

/** What is known of the receiver behind a queue, over restarts. */
export interface QueueState {
  /** Unix ms: since when nothing got through. */
  readonly failingSince?: number | undefined;
  /** It is told nothing any more. */
  readonly disabled?: { readonly at: number; readonly reason: string } | undefined;
}

/**
 * What waits for one receiver: durable, at least once. `remove`, `retry`, `bury` and `setState` return at once and are on
 * disk soon after, in order, repeated where the disk refuses them; `settled` waits for them. What they said and the disk does
 * not have when the power goes is only said again: a delivery is repeated, with the same id.
 */
export interface Queue {
  readonly name: string;
  /** What an earlier run left, oldest first. Once, before anything is added. */
  load(): Promise<{ readonly entries: readonly QueueEntry[]; readonly state: QueueState; readonly dead: number }>;
  /** Calls with the number of dead letters when some were dropped that were too old or too many, or their unit forgotten. */
  whenPruned(hear: (dead: number) => void): void;
  /** A place for an item; to be handed to `Store.commit`. */
  addition(item: QueueItem, dueAt: number, dead?: string): Addition;
  /** `undefined`: it is no longer there. */
  body(position: number): Promise<string | undefined>;
  /** Delivered. */
  remove(position: number): void;
  retry(position: number, attempts: number, dueAt: number): void;
  /** Given up: it becomes a dead letter. */
  bury(position: number, attempts: number, reason: string): void;
  setState(state: QueueState): void;
  settled(): Promise<void>;
  /** Dead letters behind that position, oldest first. */
  deadLetters(behind: number, limit: number): Promise<readonly DeadLetter[]>;
  /** Makes dead letters wait again. Gives those that there were. */
  replay(positions: readonly number[], dueAt: number): Promise<readonly QueueEntry[]>;
}
