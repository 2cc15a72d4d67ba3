/** An event of the stream, as it is written to every client that wants it. */
export interface StreamEvent {
  readonly id: number;
  readonly kind: string;
  readonly unit: string;
  /** JSON, on one line. */
  readonly data: string;
}

/** The last events, for clients that come back and name the last one they had. */
export class EventRing {
  readonly #size: number;
  readonly #events: StreamEvent[] = [];
  readonly #firstId: number;
  #nextId: number;

  /** Ids count up from `firstId`. */
  constructor(size: number, firstId: number) {
    this.#size = size;
    this.#firstId = firstId;
    this.#nextId = firstId;
  }

  /** The id that the next event will have. */
  get nextId(): number {
    return this.#nextId;
  }

  add(kind: string, unit: string, data: string): StreamEvent {
    const event = { id: this.#nextId, kind, unit, data };
    this.#nextId += 1;
    this.#events.push(event);
    if (this.#events.length > this.#size) this.#events.shift();
    return event;
  }

  /** The event with that id; `undefined` when it is kept no more, or not yet there. */
  at(id: number): StreamEvent | undefined {
    const oldest = this.#events[0];
    return oldest === undefined ? undefined : this.#events[id - oldest.id];
  }

  /**
   * Where a client that had `lastId` goes on, and how many events it missed; `undefined`: nobody knows, for the id is from
   * before this base started.
   */
  resume(lastId: number): { readonly from: number; readonly missed: number | undefined } {
    const oldest = this.#events[0]?.id ?? this.#nextId;
    if (lastId < this.#firstId - 1 || lastId >= this.#nextId) return { from: oldest, missed: undefined };
    const from = Math.max(oldest, lastId + 1);
    return { from, missed: from - lastId - 1 };
  }
}
