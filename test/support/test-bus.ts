import type { Bus, MessageKind, MessageOf, Unsubscribe } from '../../base/core/bus.js';
import type { CoreMessage } from '../../base/core/messages.js';

/** A bus in memory: who subscribed hears at once, in order. */
export class TestBus implements Bus {
  readonly #hearers = new Map<object, { readonly kind: MessageKind; readonly hear: (message: never) => void }>();

  publish(message: CoreMessage): void {
    for (const { kind, hear } of [...this.#hearers.values()]) if (kind === message.kind) hear(message as never);
  }

  subscribe<K extends MessageKind>(kind: K, hear: (message: MessageOf<K>) => void): Unsubscribe {
    const key = {};
    this.#hearers.set(key, { kind, hear });
    return () => void this.#hearers.delete(key);
  }

  hasSubscribers(kind: MessageKind): boolean {
    return [...this.#hearers.values()].some((hearer) => hearer.kind === kind);
  }

  /** A leak test expects 0. */
  get hearers(): number {
    return this.#hearers.size;
  }
}
