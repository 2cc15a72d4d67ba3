import { clientOptions, createClient, dropClient } from '../base/uplinks/pusher/pusher-client.js';
import { DEFAULT_CHANNEL, type PusherUplinkOptions } from '../base/uplinks/pusher/pusher-options.js';
import { createServerClient } from '../base/uplinks/pusher/pusher-server.js';
import { RelayError } from '../protocol/errors.js';
import type { SentOutcome } from './send.js';

export interface ChannelCommand {
  readonly id: string;
  readonly unit: string;
  readonly command: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly payload?: unknown;
  readonly format?: string;
  readonly ttlS?: number;
}

/** Beyond what the command may wait for its unit: until the outcome is on the channel. */
const MARGIN_MS = 45_000;

/**
 * Sends a command as a dashboard does: an event `command` on the private channel, published with the server library; its
 * event `outcome` is awaited on the same channel. Throws RelayError.
 */
export async function sendOverChannel(options: PusherUplinkOptions, command: ChannelCommand): Promise<SentOutcome> {
  const server = createServerClient(options)!;
  const name = options.channel ?? DEFAULT_CHANNEL;
  const client = createClient(
    options.key,
    clientOptions(options, ({ socketId, channelName }, answer) =>
      answer(null, server.authorizeChannel(socketId, channelName)),
    ),
    () => {},
  );
  let late: NodeJS.Timeout | undefined;
  try {
    return await new Promise<SentOutcome>((resolve, reject) => {
      const fail = (what: string, cause?: unknown): void =>
        reject(new RelayError('uplink-unreachable', what, { cause }));
      late = setTimeout(
        () => fail('no outcome came on the channel: is the base running, and subscribed?'),
        MARGIN_MS + (command.ttlS ?? 0) * 1_000,
      );
      client.connection.bind('unavailable', () => fail('the Pusher server cannot be reached'));
      client.connection.bind('disconnected', () => fail('the Pusher server refuses us: is pusher.key right?'));
      const channel = client.subscribe(name);
      channel.bind('pusher:subscription_error', (error: unknown) =>
        fail(`the channel ${name} refuses us: ${JSON.stringify(error)}`),
      );
      channel.bind('outcome', (outcome: SentOutcome) => {
        if (outcome.id === command.id) resolve(outcome);
      });
      channel.bind('pusher:subscription_succeeded', () => {
        server.trigger(name, 'command', command).then(
          async (response) => {
            const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string };
            if (error !== undefined) fail(`the event was refused: ${error}`);
          },
          (error: Error) => fail(`the event could not be published: ${error.message}`, error),
        );
      });
    });
  } finally {
    clearTimeout(late);
    dropClient(client);
  }
}
