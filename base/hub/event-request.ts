import { Refusal } from './api-answer.js';
import { type InfoName, parseInfo } from './channel-info.js';
import { type ChannelName, parseChannelName } from './channel-name.js';
import type { HubLimits } from './hub-limits.js';
import { isRecord } from './incoming-frame.js';

/** One event that a server wants published, checked. */
export interface EventRequest {
  readonly event: string;
  readonly data: string;
  /** Distinct, at least one. */
  readonly channels: readonly ChannelName[];
  /** The connection that is not to hear it. */
  readonly exceptSocketId?: string;
  readonly info: readonly InfoName[];
}

/** Reads the body of `POST /events`: `channels`, or one `channel`. */
export function parseEvent(body: unknown, limits: HubLimits): EventRequest | Refusal {
  if (!isRecord(body)) return new Refusal(400, 'Body must be a JSON object');
  const { channels, channel } = body;
  if (channels === undefined) return parse(body, [channel], limits);
  if (!Array.isArray(channels) || channels.length === 0)
    return new Refusal(400, 'channels must be a list of channel names that is not empty');
  if (channels.length > limits.channelsPerEvent)
    return new Refusal(400, `More than ${limits.channelsPerEvent} channels in one event`);
  return parse(body, channels, limits);
}

/** Reads the body of `POST /batch_events`. One bad event refuses them all. */
export function parseBatch(body: unknown, limits: HubLimits): readonly EventRequest[] | Refusal {
  const batch = isRecord(body) ? body.batch : undefined;
  if (!Array.isArray(batch)) return new Refusal(400, 'Body must be a JSON object with a batch, a list of events');
  if (batch.length > limits.eventsPerBatch)
    return new Refusal(400, `More than ${limits.eventsPerBatch} events in one batch`);
  const events: EventRequest[] = [];
  for (const item of batch) {
    const event = isRecord(item) ? parse(item, [item.channel], limits) : new Refusal(400, 'An event must be an object');
    if (event instanceof Refusal) return event;
    events.push(event);
  }
  return events;
}

function parse(
  body: Readonly<Record<string, unknown>>,
  channels: readonly unknown[],
  limits: HubLimits,
): EventRequest | Refusal {
  const { name, data, socket_id: socketId } = body;
  if (typeof name !== 'string' || name === '') return new Refusal(400, 'name must be a text that is not empty');
  if (name.length > limits.eventNameLength)
    return new Refusal(400, `name is longer than ${limits.eventNameLength} characters`);
  if (/^pusher(_internal)?:/.test(name)) return new Refusal(400, `Event names that begin with "pusher:" are reserved`);
  if (typeof data !== 'string') return new Refusal(400, 'data must be a text');
  if (Buffer.byteLength(data) > limits.eventDataOctets)
    return new Refusal(
      413,
      `The data content of this event exceeds the allowed maximum (${limits.eventDataOctets} bytes)`,
    );
  if (socketId !== undefined && socketId !== null && !(typeof socketId === 'string' && /^\d+\.\d+$/.test(socketId)))
    return new Refusal(400, 'Invalid socket_id');

  const names = new Map<string, ChannelName>();
  for (const text of channels) {
    const channel = parseChannelName(text);
    if (channel === undefined) return new Refusal(400, `Invalid channel name: ${String(text).slice(0, 200)}`);
    names.set(channel.text, channel);
  }
  const distinct = [...names.values()];
  // Each encrypted channel has a key of its own.
  if (distinct.length > 1 && distinct.some(({ kind }) => kind === 'encrypted'))
    return new Refusal(400, 'An event for an encrypted channel can go to that one channel only');

  const info = parseInfo(body.info, ['user_count', 'subscription_count']);
  if (info instanceof Refusal) return info;
  return {
    event: name,
    data,
    channels: distinct,
    info,
    ...(typeof socketId === 'string' ? { exceptSocketId: socketId } : {}),
  };
}
