import { createHash, timingSafeEqual } from 'node:crypto';
import { fromHex, toHex } from '../../../protocol/octets.js';
import type { Random } from '../../core/random.js';

const SALT_OCTETS = 16;
const HASH_OCTETS = 32;

/** What is kept of a secret: a salt of its own, and SHA-256 of salt and secret. */
export class UserSecret {
  readonly #salt: Uint8Array;
  readonly #hash: Uint8Array;

  private constructor(salt: Uint8Array, hash: Uint8Array) {
    this.#salt = salt;
    this.#hash = hash;
  }

  static of(secret: string, random: Random): UserSecret {
    const salt = random.octets(SALT_OCTETS);
    return new UserSecret(salt, hashOf(salt, secret));
  }

  /** As it is stored; `undefined`: there is none. Throws RangeError for what was never stored so. */
  static stored(salt: unknown, hash: unknown): UserSecret | undefined {
    if (salt === undefined && hash === undefined) return undefined;
    const secret = new UserSecret(fromHex(String(salt)), fromHex(String(hash)));
    if (secret.#hash.length !== HASH_OCTETS) throw new RangeError('the hash of a secret has 32 octets');
    return secret;
  }

  /** For the store. */
  get record(): { readonly salt: string; readonly hash: string } {
    return { salt: toHex(this.#salt), hash: toHex(this.#hash) };
  }

  /** In a time that tells nothing about where they differ. */
  is(secret: string): boolean {
    return timingSafeEqual(hashOf(this.#salt, secret), this.#hash);
  }
}

const hashOf = (salt: Uint8Array, secret: string): Uint8Array =>
  createHash('sha256').update(salt).update(secret).digest();
