import { withoutPart } from '../../core/without-part.js';
import { isEncrypted } from './pusher-options.js';

/** Every server takes that much; some refuse from 10,000 octets of the whole request on (reference/pusher.md, 2.7). */
export const MAX_EVENT_OCTETS = 8_192;
/** Base64 makes four octets of three, and the nonce and JSON come on top: encrypted it is at most {@link MAX_EVENT_OCTETS}. */
export const MAX_ENCRYPTED_EVENT_OCTETS = 6_000;

/** The data as it may be sent; without `reply` or `payload` when only that makes it fit; undefined when it cannot be. */
export function fitEvent(channel: string, data: object): object | undefined {
  const bound = isEncrypted(channel) ? MAX_ENCRYPTED_EVENT_OCTETS : MAX_EVENT_OCTETS;
  const isFitting = (value: object): boolean => Buffer.byteLength(JSON.stringify(value)) <= bound;
  if (isFitting(data)) return data;
  for (const name of ['reply', 'payload']) {
    if (!(name in data)) continue;
    const shorter = withoutPart(data, name, `the ${name} is too long for the channel and was left out`);
    return isFitting(shorter) ? shorter : undefined;
  }
  return undefined;
}
