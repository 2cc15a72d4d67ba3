/** Every frame the hub sends. `data` is a JSON string but for `pusher:error`, `pusher:signin_success` and `pusher:subscription_error`. */

export function connectionEstablished(socketId: string, activityTimeoutS: number): string {
  return frame('pusher:connection_established', undefined, { socket_id: socketId, activity_timeout: activityTimeoutS });
}

export function pong(): string {
  return frame('pusher:pong', undefined, {});
}

/** `code` null: no code fits. With `channel` when one channel is concerned. */
export function error(code: number | null, message: string, channel?: string): string {
  return JSON.stringify({ event: 'pusher:error', channel, data: { code, message } });
}

export interface PresenceData {
  readonly ids: readonly string[];
  readonly hash: Readonly<Record<string, unknown>>;
  readonly count: number;
}

export function subscriptionSucceeded(channel: string, presence?: PresenceData): string {
  return frame('pusher_internal:subscription_succeeded', channel, presence === undefined ? {} : { presence });
}

export interface SubscriptionFault {
  readonly type: 'AuthError' | 'InvalidChannel' | 'InvalidData' | 'LimitReached';
  readonly error: string;
  readonly status: 400 | 401 | 403;
}

export function subscriptionError(channel: string, fault: SubscriptionFault): string {
  return JSON.stringify({ event: 'pusher:subscription_error', channel, data: fault });
}

export function memberAdded(channel: string, userId: string, userInfo: unknown): string {
  return frame('pusher_internal:member_added', channel, { user_id: userId, user_info: userInfo });
}

export function memberRemoved(channel: string, userId: string): string {
  return frame('pusher_internal:member_removed', channel, { user_id: userId });
}

export function subscriptionCount(channel: string, count: number): string {
  return frame('pusher_internal:subscription_count', channel, { subscription_count: count });
}

export function cacheMiss(channel: string): string {
  return JSON.stringify({ event: 'pusher:cache_miss', channel });
}

export function signinSuccess(userData: string): string {
  return JSON.stringify({ event: 'pusher:signin_success', data: { user_data: userData } });
}

export interface WatchlistChange {
  readonly name: 'online' | 'offline';
  readonly user_ids: readonly string[];
}

export function watchlistEvents(events: readonly WatchlistChange[]): string {
  return frame('pusher_internal:watchlist_events', undefined, { events });
}

/** An event of the application: `data` goes out as it came in, a string from the HTTP API, anything from a client. */
export function channelEvent(event: string, channel: string, data: unknown, userId?: string): string {
  return JSON.stringify({ event, channel, data, user_id: userId });
}

function frame(event: string, channel: string | undefined, data: object): string {
  return JSON.stringify({ event, channel, data: JSON.stringify(data) });
}
