import type { HubApp } from './app.js';
import { errorCodes } from './close-codes.js';
import type { HubLimits } from './hub-limits.js';
import { isRecord, parseJson } from './incoming-frame.js';
import type { Member } from './presence-members.js';
import { authFault, userText } from './signatures.js';

/** A user as signed for by the application's server. */
export interface SignedInUser extends Member {
  /** Distinct ids of the users whose coming and going this one wants to hear of. */
  readonly watchlist: readonly string[];
}

export type SignIn =
  | { readonly kind: 'granted'; readonly user: SignedInUser; readonly userData: string }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string };

/** Checks a `pusher:signin` (`reference/pusher.md` 1.5). */
export function checkSignIn(app: HubApp, limits: HubLimits, socketId: string, data: unknown): SignIn {
  if (!app.userAuthentication) return refused('User authentication is not enabled for this application');
  const { auth, user_data: userData } = isRecord(data) ? data : {};
  if (typeof userData !== 'string') return refused('user_data missing: expected a JSON text');
  const fault = authFault(app, auth, userText(socketId, userData));
  if (fault !== undefined) return refused(fault);
  const user = parseJson(userData);
  if (!isRecord(user) || typeof user.id !== 'string' || user.id === '')
    return refused('user_data must be JSON with an id, a text that is not empty');
  if (user.id.length > limits.userIdLength) return refused(`user id is longer than ${limits.userIdLength} characters`);
  const watchlist = user.watchlist ?? [];
  if (!Array.isArray(watchlist) || !watchlist.every((id) => typeof id === 'string'))
    return refused('watchlist must be a list of user ids', errorCodes.watchlist);
  if (watchlist.length > limits.watchlistIds)
    return refused(`watchlist is longer than ${limits.watchlistIds} user ids`, errorCodes.watchlist);
  return {
    kind: 'granted',
    userData,
    user: { userId: user.id, userInfo: user.user_info, watchlist: [...new Set<string>(watchlist)] },
  };
}

function refused(message: string, code: number = errorCodes.unauthorized): SignIn {
  return { kind: 'refused', code, message };
}
