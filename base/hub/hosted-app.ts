import type { Clock } from '../core/clock.js';
import type { Log } from '../core/log.js';
import type { Random } from '../core/random.js';
import type { HubApp } from './app.js';
import { Channel } from './channel.js';
import type { ChannelName } from './channel-name.js';
import type { Connection } from './connection.js';
import { EventCache } from './event-cache.js';
import {
  cacheMiss,
  channelEvent,
  memberAdded,
  memberRemoved,
  subscriptionCount,
  subscriptionSucceeded,
} from './frames.js';
import type { HubLimits } from './hub-limits.js';
import { HubWebhooks } from './hub-webhooks.js';
import type { Member } from './presence-members.js';
import { Watchlist } from './watchlist.js';

export interface HostedAppOptions {
  readonly settings: HubApp;
  readonly limits: HubLimits;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** One app while the hub runs: its connections, its occupied channels, its signed-in users. */
export class HostedApp {
  readonly settings: HubApp;
  readonly limits: HubLimits;
  readonly cache: EventCache;
  readonly users = new Watchlist<Connection>();
  readonly webhooks: HubWebhooks;
  readonly #connections = new Set<Connection>();
  /** Occupied ones only. */
  readonly #channels = new Map<string, Channel>();

  constructor({ settings, limits, clock, random, log }: HostedAppOptions) {
    this.settings = settings;
    this.limits = limits;
    this.cache = new EventCache(clock, limits.cacheTtlMs, limits.cacheEntries);
    this.webhooks = new HubWebhooks({ app: settings, limits, clock, random, log });
  }

  get hasRoom(): boolean {
    return this.#connections.size < this.settings.maxConnections;
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  /** Occupied channels; those of single users are the hub's own business and not listed. */
  get channels(): readonly Channel[] {
    return [...this.#channels.values()].filter(({ name }) => name.kind !== 'user');
  }

  /** Undefined when nobody is subscribed. */
  channel(name: string): Channel | undefined {
    return this.#channels.get(name);
  }

  admit(connection: Connection): void {
    this.#connections.add(connection);
  }

  dismiss(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Subscribes a connection that may. The frames go out in the order that clients rely on. */
  join(connection: Connection, name: ChannelName, member: Member | undefined): Channel {
    const channel = this.#channels.get(name.text) ?? new Channel(name);
    const isOccupied = channel.subscriptionCount > 0;
    this.#channels.set(name.text, channel);
    const isNewMember = channel.add(connection, member);
    connection.send(subscriptionSucceeded(name.text, channel.members?.data()));
    if (!isOccupied && name.kind !== 'user') this.webhooks.occupied(name.text);
    if (isNewMember && member !== undefined) {
      channel.broadcast(memberAdded(name.text, member.userId, member.userInfo), connection.socketId);
      this.webhooks.memberAdded(name.text, member.userId);
    }
    if (name.cache) this.#tellCached(connection, name.text);
    this.#tellCount(channel);
    return channel;
  }

  leave(connection: Connection, channel: Channel): void {
    const name = channel.name.text;
    const goneUser = channel.remove(connection.socketId);
    if (goneUser !== undefined) {
      channel.broadcast(memberRemoved(name, goneUser));
      this.webhooks.memberRemoved(name, goneUser);
    }
    this.#tellCount(channel);
    if (channel.subscriptionCount > 0) return;
    this.#channels.delete(name);
    if (channel.name.kind !== 'user') this.webhooks.vacated(name);
  }

  /** An event from the HTTP API, to everybody on the channel but the connection named. */
  publish(name: ChannelName, event: string, data: string, exceptSocketId?: string): void {
    if (name.cache) this.cache.put(name.text, { event, data });
    this.#channels.get(name.text)?.broadcast(channelEvent(event, name.text, data), exceptSocketId);
  }

  #tellCached(connection: Connection, channel: string): void {
    const cached = this.cache.get(channel);
    connection.send(cached === undefined ? cacheMiss(channel) : channelEvent(cached.event, channel, cached.data));
    if (cached === undefined) this.webhooks.tell({ name: 'cache_miss', channel });
  }

  #tellCount(channel: Channel): void {
    const { kind, text } = channel.name;
    if (kind === 'presence' || kind === 'user') return;
    if (this.settings.subscriptionCount) channel.broadcast(subscriptionCount(text, channel.subscriptionCount));
    this.webhooks.tell({ name: 'subscription_count', channel: text, subscription_count: channel.subscriptionCount });
  }
}
