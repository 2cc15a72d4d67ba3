import { Refusal } from './api-answer.js';
import type { ChannelName } from './channel-name.js';
import type { HostedApp } from './hosted-app.js';

export type InfoName = 'user_count' | 'subscription_count' | 'cache';

/** What the HTTP API tells of a channel, as asked for in `info`. */
export interface ChannelInfo {
  readonly user_count?: number;
  readonly subscription_count?: number;
  readonly cache?: { readonly data: string; readonly ttl: number } | null;
}

/** Reads `info=a,b`; a 400 for what is not among the allowed. */
export function parseInfo(info: unknown, allowed: readonly InfoName[]): readonly InfoName[] | Refusal {
  if (info === undefined || info === null || info === '') return [];
  if (typeof info !== 'string') return new Refusal(400, 'info must be a text: attributes with commas between them');
  const names: InfoName[] = [];
  for (const text of info.split(',')) {
    const name = allowed.find((one) => one === text.trim());
    if (name === undefined)
      return new Refusal(400, `Unknown info attribute "${text.trim().slice(0, 40)}": expected ${allowed.join(', ')}`);
    names.push(name);
  }
  return names;
}

/** `user_count` is left out where there are no users: on all but presence channels. */
export function channelInfo(app: HostedApp, name: ChannelName, wanted: readonly InfoName[]): ChannelInfo {
  const channel = app.channel(name.text);
  const cached = wanted.includes('cache') ? app.cache.get(name.text) : undefined;
  return {
    ...(wanted.includes('user_count') && name.kind === 'presence' ? { user_count: channel?.members?.count ?? 0 } : {}),
    ...(wanted.includes('subscription_count') ? { subscription_count: channel?.subscriptionCount ?? 0 } : {}),
    ...(wanted.includes('cache')
      ? { cache: cached === undefined ? null : { data: cached.data, ttl: Math.ceil(cached.leftMs / 1000) } }
      : {}),
  };
}
