import { concat, equalInConstantTime } from '../octets.js';
import { PROOF_OCTETS, type SessionCrypto } from './proof.js';
import { decodeUid, encodeUid, UID_OCTETS } from './uid.js';

/**
 * The client's answer to the challenge (wire/iotsocket.md, "Opening a connection", step 4), 48 octets:
 *
 *     0..15   UID; the central's is sixteen 00
 *     16..47  HMAC-SHA256(key = auth key, message = challenge)
 */
export interface Login {
  /** Empty: the central. */
  readonly uid: string;
  readonly proof: Uint8Array;
}

export const LOGIN_OCTETS = UID_OCTETS + PROOF_OCTETS;

/** Throws RangeError for a UID of more than 16 octets. */
export function encodeLogin(crypto: SessionCrypto, uid: string, key: Uint8Array, challenge: Uint8Array): Uint8Array {
  return concat(encodeUid(uid), crypto.hmac(key, challenge));
}

/** The login in the first 48 octets; `undefined` when they are fewer, or their UID is no UTF-8. `proof` is a view, not a copy. */
export function decodeLogin(octets: Uint8Array): Login | undefined {
  if (octets.length < LOGIN_OCTETS) return undefined;
  const uid = decodeUid(octets.subarray(0, UID_OCTETS));
  return uid === undefined ? undefined : { uid, proof: octets.subarray(UID_OCTETS, LOGIN_OCTETS) };
}

/** Whether who logs in has this key. Takes as long for a wrong proof as for a right one. */
export function checkLogin(crypto: SessionCrypto, login: Login, key: Uint8Array, challenge: Uint8Array): boolean {
  return equalInConstantTime(login.proof, crypto.hmac(key, challenge));
}
