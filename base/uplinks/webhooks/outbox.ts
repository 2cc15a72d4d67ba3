/** What is to be sent to one endpoint. */
export interface NewItem {
  /** Its identity at the receiver; the same in every attempt. */
  readonly id: string;
  /** Items of one key are sent in order, one at a time: the unit's UID. */
  readonly key: string;
  readonly body: string;
}

export interface OutboxItem extends NewItem {
  /** Its place in the outbox; what the other methods name it by. */
  readonly position: number;
  /** Attempts that failed. */
  readonly attempts: number;
}

/**
 * What waits for one endpoint, in order for each key. Times are ms of `Clock.monotonic`.
 * A taken item blocks its key until `remove`, `retry` or `putBack`.
 */
export interface Outbox {
  readonly count: number;
  readonly octets: number;
  /** Always takes it, unless it alone is past the bound; returns what had to be dropped for it, the oldest first. */
  add(item: NewItem): readonly NewItem[];
  /** The next item that is due. */
  take(now: number): OutboxItem | undefined;
  /** The oldest item that could be taken if it were due: for a probe. */
  takeEarly(): OutboxItem | undefined;
  /** Delivered, or given up. */
  remove(position: number): void;
  /** It failed: due again at that time. */
  retry(position: number, dueAt: number): void;
  /** It failed as a probe: as if it had not been taken. */
  putBack(position: number): void;
  /** What waits for another attempt is due now: the endpoint is back. */
  hurry(now: number): void;
  /** When the next item is due; undefined when none waits for time to pass. */
  nextDueAt(): number | undefined;
  /** Empties it; returns how many were in it. */
  clear(): number;
}
