import { type WatchlistChange, watchlistEvents } from './frames.js';

/** A signed-in connection. */
export interface SignedIn {
  readonly userId: string;
  readonly watchlist: readonly string[];
  send(frame: string): void;
}

/** Who is signed in, with which connections, and who wants to know. */
export class Watchlist<C extends SignedIn> {
  readonly #connections = new Map<string, Set<C>>();
  readonly #watchers = new Map<string, Set<C>>();

  isOnline(userId: string): boolean {
    return this.#connections.has(userId);
  }

  connectionsOf(userId: string): readonly C[] {
    return [...(this.#connections.get(userId) ?? [])];
  }

  /** Tells the watchers of a user's first connection, and the connection about everybody on its own list. */
  signedIn(connection: C): void {
    const { userId, watchlist } = connection;
    const isFirst = !this.isOnline(userId);
    addTo(this.#connections, userId, connection);
    if (isFirst) this.#tellWatchers('online', userId);
    for (const watched of watchlist) addTo(this.#watchers, watched, connection);
    const changes: WatchlistChange[] = [
      { name: 'online', user_ids: watchlist.filter((id) => this.isOnline(id)) },
      { name: 'offline', user_ids: watchlist.filter((id) => !this.isOnline(id)) },
    ];
    const told = changes.filter(({ user_ids }) => user_ids.length > 0);
    if (told.length > 0) connection.send(watchlistEvents(told));
  }

  /** Tells the watchers when it was the user's last connection. */
  signedOut(connection: C): void {
    for (const watched of connection.watchlist) removeFrom(this.#watchers, watched, connection);
    removeFrom(this.#connections, connection.userId, connection);
    if (!this.isOnline(connection.userId)) this.#tellWatchers('offline', connection.userId);
  }

  #tellWatchers(name: 'online' | 'offline', userId: string): void {
    const watchers = this.#watchers.get(userId);
    if (watchers === undefined) return;
    const frame = watchlistEvents([{ name, user_ids: [userId] }]);
    for (const watcher of watchers) watcher.send(frame);
  }
}

function addTo<C>(sets: Map<string, Set<C>>, key: string, value: C): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(value));
}

function removeFrom<C>(sets: Map<string, Set<C>>, key: string, value: C): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
