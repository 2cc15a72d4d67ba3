import type { HubApp } from './app.js';
import type { ChannelName } from './channel-name.js';
import type { SubscriptionFault } from './frames.js';
import type { HubLimits } from './hub-limits.js';
import { isRecord, jsonOctets, parseJson } from './incoming-frame.js';
import type { Member } from './presence-members.js';
import { authFault, channelText } from './signatures.js';

/** Who asks to hear a channel, and with which proof. */
export interface SubscriptionRequest {
  readonly socketId: string;
  /** The signed-in user of the connection. */
  readonly user: Member | undefined;
  readonly auth: unknown;
  readonly channelData: unknown;
}

export type Authorisation =
  | { readonly kind: 'granted'; readonly member: Member | undefined }
  | { readonly kind: 'refused'; readonly fault: SubscriptionFault };

/** May this connection hear this channel (`reference/pusher.md` 1.3), and as which member? */
export function authorise(
  app: HubApp,
  limits: HubLimits,
  name: ChannelName,
  request: SubscriptionRequest,
): Authorisation {
  switch (name.kind) {
    case 'public':
      return granted(undefined);
    case 'user':
      return request.user?.userId === name.user
        ? granted(undefined)
        : refused('AuthError', 401, `Not signed in as the user of ${name.text}`);
    case 'private':
    case 'encrypted': {
      const fault = authFault(app, request.auth, channelText(request.socketId, name.text));
      return fault === undefined ? granted(undefined) : refused('AuthError', 401, fault);
    }
    case 'presence':
      return authorisePresence(app, limits, name, request);
  }
}

function authorisePresence(
  app: HubApp,
  limits: HubLimits,
  name: ChannelName,
  { socketId, user, auth, channelData }: SubscriptionRequest,
): Authorisation {
  if (channelData === undefined || channelData === null) {
    // pusher-js leaves it out when the user is signed in.
    const fault = authFault(app, auth, channelText(socketId, name.text));
    if (fault !== undefined) return refused('AuthError', 401, fault);
    return user === undefined
      ? refused('InvalidData', 400, 'channel_data missing: a presence channel needs it, or a signed-in user')
      : checkedMember(user, limits);
  }
  if (typeof channelData !== 'string') return refused('InvalidData', 400, 'channel_data must be a JSON text');
  const fault = authFault(app, auth, channelText(socketId, name.text, channelData));
  if (fault !== undefined) return refused('AuthError', 401, fault);
  const data = parseJson(channelData);
  const userId = isRecord(data) ? data.user_id : undefined;
  if (!isRecord(data) || !(typeof userId === 'string' || typeof userId === 'number') || userId === '')
    return refused('InvalidData', 400, 'channel_data must be JSON with a user_id, a text or a number');
  return checkedMember({ userId: String(userId), userInfo: data.user_info }, limits);
}

function checkedMember(member: Member, limits: HubLimits): Authorisation {
  if (member.userId.length > limits.userIdLength)
    return refused('LimitReached', 403, `user_id is longer than ${limits.userIdLength} characters`);
  const octets = jsonOctets(member.userInfo);
  if (octets === undefined || octets > limits.userInfoOctets)
    return refused('LimitReached', 403, `user_info is longer than ${limits.userInfoOctets} octets`);
  return granted(member);
}

function granted(member: Member | undefined): Authorisation {
  return { kind: 'granted', member };
}

function refused(type: SubscriptionFault['type'], status: SubscriptionFault['status'], error: string): Authorisation {
  return { kind: 'refused', fault: { type, error, status } };
}
