import PusherImport, { type ChannelAuthorizationHandler, type Options } from 'pusher-js';
import type { PusherUplinkOptions } from './pusher-options.js';

/** The class, whose types pusher-js 8 gives wrongly to ESM (reference/pusher.md, 2.2). */
export const Pusher = PusherImport as unknown as typeof PusherImport.default;
export type Pusher = InstanceType<typeof Pusher>;

/** Silence after which the client asks whether the server is there; with the pong's time a dead link is known in 40 s. */
const ACTIVITY_TIMEOUT_MS = 30_000;
const PONG_TIMEOUT_MS = 10_000;
const UNAVAILABLE_TIMEOUT_MS = 10_000;
/** A server that asks for pings more often than that is wrong, and would have us send without end. */
export const LEAST_ACTIVITY_TIMEOUT_MS = 5_000;

/** The options of reference/pusher.md, 2.3. Without `enabledTransports` the client would ask the cloud even for an own host. */
export function clientOptions(options: PusherUplinkOptions, customHandler: ChannelAuthorizationHandler): Options {
  const { host, port, tls = true } = options;
  const own =
    host === undefined
      ? {}
      : { wsHost: host, wsPath: '', ...(port === undefined ? {} : { wsPort: port, wssPort: port }) };
  return {
    cluster: options.cluster ?? 'local',
    ...own,
    forceTLS: host === undefined ? true : tls,
    enabledTransports: ['ws'],
    enableStats: false,
    activityTimeout: ACTIVITY_TIMEOUT_MS,
    pongTimeout: PONG_TIMEOUT_MS,
    unavailableTimeout: UNAVAILABLE_TIMEOUT_MS,
    channelAuthorization: { customHandler },
  };
}

/** A client that begins to connect at once. What a frame makes it throw goes to `onFault` and ends nothing. */
export function createClient(key: string, options: Options, onFault: (error: unknown) => void): Pusher {
  const pusher = new Pusher(key, options);
  const { connection } = pusher;
  // A frame that is JSON but not an event (`{"event":5}`, an encrypted event without data) makes the library throw inside
  // its socket's callback, which nobody catches. Every frame and state passes through here.
  const emit = connection.emit.bind(connection);
  connection.emit = (name, data, metadata) => {
    try {
      return emit(name, data, metadata);
    } catch (error) {
      onFault(error);
      return connection;
    }
  };
  // `pusher:error` without a code as the first frame gives the action `null`, for which the library has no callback
  Object.assign(connection.handshakeCallbacks, { null: connection.errorCallbacks.backoff });
  return pusher;
}

/** Ends a client. The library keeps every instance in a list of its own for ever; it is taken out of that. */
export function dropClient(pusher: Pusher): void {
  pusher.connection.unbind();
  pusher.unbind_all();
  for (const channel of pusher.allChannels()) channel.unbind_all();
  pusher.disconnect();
  const at = Pusher.instances.indexOf(pusher);
  if (at >= 0) Pusher.instances.splice(at, 1);
}
