import type { PresenceData } from './frames.js';

/** A user on a presence channel. */
export interface Member {
  readonly userId: string;
  /** JSON; undefined when the user has none. */
  readonly userInfo: unknown;
}

/** The users of one presence channel. One user may be there with several connections. */
export class PresenceMembers {
  readonly #members = new Map<string, { readonly userInfo: unknown; connections: number }>();
  readonly #userOfSocket = new Map<string, string>();

  /** Distinct users. */
  get count(): number {
    return this.#members.size;
  }

  get ids(): readonly string[] {
    return [...this.#members.keys()];
  }

  has(userId: string): boolean {
    return this.#members.has(userId);
  }

  userOf(socketId: string): string | undefined {
    return this.#userOfSocket.get(socketId);
  }

  /** True when this is the user's first connection; later ones do not change the user's info. */
  add(socketId: string, member: Member): boolean {
    this.#userOfSocket.set(socketId, member.userId);
    const known = this.#members.get(member.userId);
    if (known === undefined) this.#members.set(member.userId, { userInfo: member.userInfo, connections: 1 });
    else known.connections += 1;
    return known === undefined;
  }

  /** The user whose last connection this was. */
  remove(socketId: string): string | undefined {
    const userId = this.#userOfSocket.get(socketId);
    const member = userId === undefined ? undefined : this.#members.get(userId);
    if (userId === undefined || member === undefined) return undefined;
    this.#userOfSocket.delete(socketId);
    member.connections -= 1;
    if (member.connections > 0) return undefined;
    this.#members.delete(userId);
    return userId;
  }

  data(): PresenceData {
    // fromEntries defines properties: a user called "__proto__" is a user like any other.
    const hash = Object.fromEntries([...this.#members].map(([id, { userInfo }]) => [id, userInfo ?? null]));
    return { ids: this.ids, hash, count: this.count };
  }
}
