import type { Bus } from './bus.js';
import type { Queue } from './queue.js';
import type { Store } from './store.js';

/** Where live and durable state is. Nothing above it knows which engine it is. */
export interface Engine {
  readonly bus: Bus;
  readonly store: Store;
  /** The queue of that name; the same one each time. */
  queue(name: string): Queue;
  /** Commits something, and reads it again: whether it works is known then. Rejects with StoreError, or never settles. */
  probe(): Promise<void>;
  /** Everything that was asked for is on disk, and the file is closed. May be called twice. */
  close(): Promise<void>;
}
