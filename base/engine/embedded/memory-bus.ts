import type { Bus, MessageKind, MessageOf, Unsubscribe } from '../../core/bus.js';
import type { Log } from '../../core/log.js';
import type { CoreMessage } from '../../core/messages.js';
import { thrownError } from '../../core/thrown-error.js';

/** The bus of one process: subscribers are called at once, in the order in which they subscribed. */
export class MemoryBus implements Bus {
  readonly #log: Log;
  readonly #subscribers = new Map<MessageKind, Set<(message: never) => void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  publish(message: CoreMessage): void {
    for (const hear of this.#subscribers.get(message.kind) ?? []) {
      try {
        hear(message as never);
      } catch (error) {
        this.#log.error({ kind: message.kind, error: thrownError(error).message }, 'a subscriber failed');
      }
    }
  }

  subscribe<K extends MessageKind>(kind: K, hear: (message: MessageOf<K>) => void): Unsubscribe {
    const subscribers = this.#subscribers.get(kind) ?? new Set();
    this.#subscribers.set(kind, subscribers);
    const own = (message: never): void => hear(message);
    subscribers.add(own);
    return () => void subscribers.delete(own);
  }

  hasSubscribers(kind: MessageKind): boolean {
    return (this.#subscribers.get(kind)?.size ?? 0) > 0;
  }
}
