import type { HubApp } from './app.js';
import type { Channel } from './channel.js';
import type { HubLimits } from './hub-limits.js';
import { jsonOctets } from './incoming-frame.js';

/** What a client wants others to hear. */
export interface ClientEvent {
  readonly event: string;
  /** Undefined when the sender is not subscribed to it. */
  readonly channel: Channel | undefined;
  readonly data: unknown;
}

export type CheckedClientEvent =
  | { readonly kind: 'granted'; readonly channel: Channel }
  | { readonly kind: 'refused'; readonly message: string };

/** May the event be relayed (`reference/pusher.md` 1.4)? Its rate is checked elsewhere. */
export function checkClientEvent(
  app: HubApp,
  limits: HubLimits,
  { event, channel, data }: ClientEvent,
): CheckedClientEvent {
  if (!event.startsWith('client-')) return refused("its name must begin with 'client-'");
  if (event.length > limits.eventNameLength)
    return refused(`its name is longer than ${limits.eventNameLength} characters`);
  if (!app.clientEvents) return refused('client events are not enabled for this application');
  if (channel === undefined) return refused('you are not subscribed to this channel');
  const { kind } = channel.name;
  if (kind === 'public' || kind === 'user') return refused('only private and presence channels carry client events');
  const octets = jsonOctets(data);
  if (octets === undefined || octets > limits.eventDataOctets)
    return refused(`its data is longer than ${limits.eventDataOctets} octets`);
  return { kind: 'granted', channel };
}

function refused(reason: string): CheckedClientEvent {
  return { kind: 'refused', message: `Client event rejected: ${reason}` };
}
