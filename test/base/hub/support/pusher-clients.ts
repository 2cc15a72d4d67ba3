import PusherServer from 'pusher';
import PusherImport, { type Channel, type Options } from 'pusher-js';
import { onTestFinished } from 'vitest';
import { APP } from './hub-under-test.js';
import { within } from './real-time.js';

/** What is imported is the class; the types say it is a module with the class in `default` (pusher-js#791). */
const Pusher = PusherImport as unknown as typeof PusherImport.default;
export type PusherClient = InstanceType<typeof Pusher>;

export function pusherServer(port: number, options: Partial<PusherServer.Options> = {}): PusherServer {
  return new PusherServer({
    appId: APP.id,
    key: APP.key,
    secret: APP.secret,
    host: '127.0.0.1',
    port: String(port),
    useTLS: false,
    timeout: 5_000,
    encryptionMasterKeyBase64: Buffer.alloc(32, 7).toString('base64'),
    ...options,
  } as PusherServer.Options);
}

/** The real client library, its authorisations signed by the real server library. Disconnected when the test ends. */
export function pusherClient(
  port: number,
  user: { readonly id: string; readonly [more: string]: unknown } = { id: 'u' },
  options: Partial<Options> = {},
): PusherClient {
  const server = pusherServer(port);
  const client = new Pusher(APP.key, {
    cluster: 'local',
    wsHost: '127.0.0.1',
    wsPort: port,
    wssPort: port,
    forceTLS: false,
    enabledTransports: ['ws'],
    enableStats: false,
    channelAuthorization: {
      customHandler: ({ socketId, channelName }, callback) => {
        const data = channelName.startsWith('presence-') ? { user_id: user.id, user_info: user } : undefined;
        callback(null, server.authorizeChannel(socketId, channelName, data as PusherServer.PresenceChannelData));
      },
    },
    userAuthentication: {
      customHandler: ({ socketId }, callback) => {
        callback(null, server.authenticateUser(socketId, user as unknown as PusherServer.UserChannelData));
      },
    },
    ...options,
  } as Options);
  onTestFinished(async () => {
    const gone = new Promise<void>((resolve) => {
      if (client.connection.state === 'connected') client.connection.bind('disconnected', () => resolve());
      else resolve();
    });
    client.disconnect();
    await within('the disconnect', gone);
  });
  return client;
}

/** The next event of that name, with its metadata. */
export function eventOf<T = unknown>(
  source: {
    bind(event: string, call: (data: T, metadata?: unknown) => void): unknown;
    unbind(event: string, call: unknown): unknown;
  },
  event: string,
): Promise<T> {
  return within(
    event,
    new Promise<T>((resolve) => {
      const heard = (data: T): void => {
        source.unbind(event, heard);
        resolve(data);
      };
      source.bind(event, heard);
    }),
  );
}

/** Subscribed, as the hub confirmed. */
export async function subscribed(client: PusherClient, name: string): Promise<Channel> {
  const channel = client.subscribe(name);
  await eventOf(channel, 'pusher:subscription_succeeded');
  return channel;
}

export async function connected(client: PusherClient): Promise<PusherClient> {
  if (client.connection.state !== 'connected') await eventOf(client.connection, 'connected');
  return client;
}
