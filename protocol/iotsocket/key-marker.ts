import { concat, toHex } from '../octets.js';
import type { SessionCrypto } from './proof.js';
import { encodeUid } from './uid.js';

const MARKER_LABEL = new TextEncoder().encode('bu1 marker');
const MARKER_OCTETS = 4;

/**
 * What a unit announces of its key, so that who has the key knows it again and nobody learns it: the first 4 octets of
 * HMAC(K, "bu1 marker" ‖ UID), the UID in 16 octets as it travels, as 8 hexadecimal digits. It proves nothing.
 */
export function keyMarker(crypto: Pick<SessionCrypto, 'hmac'>, key: Uint8Array, uid: string): string {
  return toHex(crypto.hmac(key, concat(MARKER_LABEL, encodeUid(uid))).subarray(0, MARKER_OCTETS));
}
