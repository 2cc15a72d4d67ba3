import type { ChannelName } from './channel-name.js';
import { type Member, PresenceMembers } from './presence-members.js';

/** Whoever hears a channel: a connection. */
export interface Subscriber {
  readonly socketId: string;
  send(frame: string): void;
}

/** One occupied channel: who hears it, and on a presence channel which users they are. */
export class Channel {
  readonly name: ChannelName;
  readonly members: PresenceMembers | undefined;
  readonly #subscribers = new Map<string, Subscriber>();

  constructor(name: ChannelName) {
    this.name = name;
    this.members = name.kind === 'presence' ? new PresenceMembers() : undefined;
  }

  /** Connections, not users. */
  get subscriptionCount(): number {
    return this.#subscribers.size;
  }

  has(socketId: string): boolean {
    return this.#subscribers.has(socketId);
  }

  /** True when the member's first connection came. */
  add(subscriber: Subscriber, member?: Member): boolean {
    this.#subscribers.set(subscriber.socketId, subscriber);
    return member !== undefined && this.members?.add(subscriber.socketId, member) === true;
  }

  /** The user whose last connection went. */
  remove(socketId: string): string | undefined {
    this.#subscribers.delete(socketId);
    return this.members?.remove(socketId);
  }

  /** To every subscriber but the one named. */
  broadcast(frame: string, exceptSocketId?: string): void {
    for (const [socketId, subscriber] of this.#subscribers) if (socketId !== exceptSocketId) subscriber.send(frame);
  }
}
