import type { Outcome, Presence, Report, UnitRequest, UnitResponse } from './messages.js';
import type { Addition } from './queue.js';

/** What centrals are told. */
export type Told = Report | Outcome | Presence | UnitRequest | UnitResponse;
export type ToldKind = Told['kind'];

/** A receiver that gets what it is told in spite of crashes. */
export interface Outbox {
  /** All that it ever picks; absent: any kind. */
  readonly kinds?: ReadonlySet<ToldKind> | undefined;
  /** What of a message it is to get; made part of the commit that stores the message. */
  pick(message: Told): Addition | undefined;
  /** It is on disk, and waits to be delivered. */
  committed(addition: Addition): void;
  /** It could not be stored. `isForGood`: and will not be offered again. */
  failed(addition: Addition, isForGood: boolean): void;
}

/** All receivers. */
export class Outboxes {
  readonly #all = new Set<Outbox>();

  /** Gives how to take it out again. */
  add(outbox: Outbox): () => void {
    this.#all.add(outbox);
    return () => void this.#all.delete(outbox);
  }

  /** False: none of them would pick a message of that kind. */
  wants(kind: ToldKind): boolean {
    for (const { kinds } of this.#all) if (kinds === undefined || kinds.has(kind)) return true;
    return false;
  }

  [Symbol.iterator](): Iterator<Outbox> {
    return this.#all.values();
  }
}
