import type { Random } from '../core/random.js';

/** 96 random bits: nobody guesses one, and none comes again. */
const HALF_OCTETS = 6;

/** A connection's id, `^\d+\.\d+$` as the server libraries demand. */
export function newSocketId(random: Random): string {
  const octets = Buffer.from(random.octets(2 * HALF_OCTETS));
  return `${octets.readUIntBE(0, HALF_OCTETS)}.${octets.readUIntBE(HALF_OCTETS, HALF_OCTETS)}`;
}
