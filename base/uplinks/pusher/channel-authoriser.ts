import type Pusher from 'pusher';
import type { Agent } from 'undici';
import { z } from 'zod';
import { RelayError } from '../../../protocol/errors.js';
import type { Clock } from '../../core/clock.js';
import { exchange } from '../../links/http-exchange.js';
import { isEncrypted } from './pusher-options.js';

/** The library itself would wait for ever (reference/pusher.md, 2.4). */
export const AUTHORISE_TIMEOUT_MS = 10_000;
const SHARED_SECRET_OCTETS = 32;

interface Authorisation {
  readonly auth: string;
  readonly channel_data?: string;
  readonly shared_secret?: string;
}

/**
 * Gets leave for one socket to join one channel. Rejects with RelayError `uplink-unauthorised` when it was refused for good,
 * `uplink-refused` when the answer is of no use, `uplink-unreachable` when there was none.
 */
export type Authorise = (socketId: string, channel: string, signal: AbortSignal) => Promise<Authorisation>;

const answerSchema = z.object({
  auth: z.string().min(1).max(1_024),
  channel_data: z.string().max(4_096).nullish(),
  shared_secret: z.string().max(128).nullish(),
});

export interface HttpAuthoriserOptions {
  readonly endpoint: string;
  readonly token: string;
  readonly agent: Agent;
  readonly clock: Clock;
}

/** Asks the central (wire/iot-base.md, "Pusher → base"). Redirects are refusals: the token goes to nobody else. */
export function httpAuthoriser(options: HttpAuthoriserOptions): Authorise {
  return async (socketId, channel, signal) => {
    const { status, body, isCut } = await exchange({
      dispatcher: options.agent,
      clock: options.clock,
      url: options.endpoint,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        authorization: `Bearer ${options.token}`,
      },
      body: new URLSearchParams({ socket_id: socketId, channel_name: channel }).toString(),
      timeoutMs: AUTHORISE_TIMEOUT_MS,
      signal,
    });
    if (status === 401 || status === 403)
      throw new RelayError(
        'uplink-unauthorised',
        `the authorisation endpoint answered ${status}: check pusher.auth.token`,
      );
    if (status >= 300 && status < 400)
      throw new RelayError(
        'uplink-refused',
        `the authorisation endpoint answered ${status}; redirects are not followed`,
      );
    if (status !== 200) throw new RelayError('uplink-refused', `the authorisation endpoint answered ${status}`);
    if (isCut) throw new RelayError('uplink-refused', 'the authorisation endpoint answered more than 64 KiB');
    return parse(body.toString('utf8'), channel);
  };
}

/** Signs itself, with the app's secret: no central needed. */
export function localAuthoriser(server: Pusher): Authorise {
  return async (socketId, channel) => {
    try {
      return server.authorizeChannel(socketId, channel);
    } catch (error) {
      throw new RelayError('uplink-refused', 'the server gave a socket id that is none', { cause: error });
    }
  };
}

function parse(body: string, channel: string): Authorisation {
  const refuse = (what: string): never => {
    throw new RelayError('uplink-refused', `the authorisation endpoint's answer ${what}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return refuse('is not JSON');
  }
  const parsed = answerSchema.safeParse(json);
  if (!parsed.success) return refuse('has no "auth" text');
  const { auth, channel_data, shared_secret } = parsed.data;
  // a key of another length makes the decryption throw
  if (isEncrypted(channel) && Buffer.from(shared_secret ?? '', 'base64').length !== SHARED_SECRET_OCTETS)
    return refuse('has no "shared_secret" of 32 octets in base64, which an encrypted channel needs');
  return {
    auth,
    ...(channel_data == null ? {} : { channel_data }),
    ...(shared_secret == null ? {} : { shared_secret }),
  };
}
