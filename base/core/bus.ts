import type { CoreMessage } from './messages.js';

export const messageKinds = ['report', 'command', 'outcome', 'request', 'response', 'presence', 'log'] as const;
export type MessageKind = CoreMessage['kind'];
export type MessageOf<K extends MessageKind> = Extract<CoreMessage, { readonly kind: K }>;

/** Where core messages are published, and whoever is interested hears of them. */
export interface Bus {
  publish(message: CoreMessage): void;
  /** Calls for every message of that kind, in order. What a subscriber throws is logged and harms nobody. */
  subscribe<K extends MessageKind>(kind: K, hear: (message: MessageOf<K>) => void): Unsubscribe;
  /** False: a message of that kind would reach nobody. */
  hasSubscribers(kind: MessageKind): boolean;
}

export type Unsubscribe = () => void;
