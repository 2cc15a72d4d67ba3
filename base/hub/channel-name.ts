/** What a channel's name says about it (`reference/pusher.md` 1.3). */
export interface ChannelName {
  readonly text: string;
  readonly kind: ChannelKind;
  /** Keeps its last event of the HTTP API for those who come later. */
  readonly cache: boolean;
  /** Of `#server-to-user-{id}`: the id. */
  readonly user?: string;
}

/** `user`: the channel of one signed-in user, `#server-to-user-{id}`. */
export type ChannelKind = 'public' | 'private' | 'encrypted' | 'presence' | 'user';

/** The service says 164, its own server library allows 200. */
export const MAX_CHANNEL_NAME_LENGTH = 200;

const LEGAL_NAME = /^[A-Za-z0-9_\-=@,.;]+$/;
const USER_PREFIX = '#server-to-user-';

/** Longest first: `private-encrypted-x` is not the private channel `encrypted-x`. */
const prefixes: readonly (readonly [string, ChannelKind])[] = [
  ['private-encrypted-', 'encrypted'],
  ['presence-', 'presence'],
  ['private-', 'private'],
  ['', 'public'],
];

/** Undefined when that is no legal name. */
export function parseChannelName(text: unknown): ChannelName | undefined {
  if (typeof text !== 'string' || text.length > MAX_CHANNEL_NAME_LENGTH) return undefined;
  if (text.startsWith(USER_PREFIX) && text.length > USER_PREFIX.length)
    return { text, kind: 'user', cache: false, user: text.slice(USER_PREFIX.length) };
  if (!LEGAL_NAME.test(text)) return undefined;
  const [prefix, kind] = prefixes.find(([start]) => text.startsWith(start))!;
  return { text, kind, cache: text.startsWith('cache-', prefix.length) };
}
