import { randomBytes } from 'node:crypto';
import type { Random } from '../../../base/core/random.js';

/** Jitter always at that fraction of its range; octets as the machine gives them. */
export function fixedRandom(fraction = 0.5): Random {
  return { octets: (count) => new Uint8Array(randomBytes(count)), fraction: () => fraction };
}
