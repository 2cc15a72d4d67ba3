import { concat, OctetWriter } from '../octets.js';
import { encodeUid } from './uid.js';

/** What the proofs need of a platform: node:crypto on the base, Web Crypto's equivalent elsewhere. */
export interface SessionCrypto {
  /** HMAC-SHA256, 32 octets. */
  hmac(key: Uint8Array, message: Uint8Array): Uint8Array;
  /** Octets that nobody can guess. */
  random(count: number): Uint8Array;
}

export const CHALLENGE_OCTETS = 16;
export const PROOF_OCTETS = 32;
export const TAG_OCTETS = 8;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const UNIT_LABEL = ascii('bu1 unit');
const BASE_LABEL = ascii('bu1 base');
const KEY_LABEL = ascii('bu1 key');

/** The nonces of an opening: C is the base's challenge, N the unit's. 16 octets each. */
export interface Nonces {
  readonly challenge: Uint8Array;
  readonly nonce: Uint8Array;
}

/** wire/unit.md, "Opening with mutual proof", step 3. */
export function unitProof(
  crypto: SessionCrypto,
  key: Uint8Array,
  uid: string,
  { challenge, nonce }: Nonces,
): Uint8Array {
  return crypto.hmac(key, concat(UNIT_LABEL, encodeUid(uid), challenge, nonce));
}

/** Step 4. */
export function baseProof(
  crypto: SessionCrypto,
  key: Uint8Array,
  uid: string,
  { challenge, nonce }: Nonces,
): Uint8Array {
  return crypto.hmac(key, concat(BASE_LABEL, encodeUid(uid), nonce, challenge));
}

/** Step 5: the key of the session's tags. */
export function sessionKey(
  crypto: SessionCrypto,
  key: Uint8Array,
  uid: string,
  { challenge, nonce }: Nonces,
): Uint8Array {
  return crypto.hmac(key, concat(KEY_LABEL, encodeUid(uid), challenge, nonce));
}

/** Who sends: the number that goes into the tag. */
export const directions = { fromUnit: 0, fromBase: 1 } as const;

/** The tag behind a transmission: the first 8 octets of HMAC(Ks, direction:8 ‖ counter:64 big-endian ‖ transmission). */
export function tagOf(
  crypto: SessionCrypto,
  key: Uint8Array,
  direction: number,
  counter: bigint,
  transmission: Uint8Array,
): Uint8Array {
  const head = new OctetWriter().u8(direction).u64(counter, false).finish();
  return crypto.hmac(key, concat(head, transmission)).subarray(0, TAG_OCTETS);
}
