import { ConfigurationError } from '../protocol/errors.js';
import { UID_OCTETS } from '../protocol/iotsocket/uid.js';

const octetsOf = (text: string): number => new TextEncoder().encode(text).length;

/**
 * The UIDs of a fleet: the name itself for a single unit that was given one, else `name-1`, `name-2` … A name too long for
 * its number is cut when it may be, so that a UID keeps to 16 octets. Throws ConfigurationError `config-invalid`.
 */
export function fleetNames(name: string, count: number, mayCut: boolean): string[] {
  const isNumbered = count > 1 || mayCut;
  const numberOctets = isNumbered ? `-${count}`.length : 0;
  const most = UID_OCTETS - numberOctets;
  if (name === '' || (!mayCut && octetsOf(name) > most))
    throw new ConfigurationError(
      'config-invalid',
      `${JSON.stringify(name)} has ${octetsOf(name)} octets; a UID of these units may have 1 to ${most}`,
    );
  if (!isNumbered) return [name];
  const stem = name.slice(0, most).replace(/-+$/, '');
  return Array.from({ length: count }, (_, index) => `${stem}-${index + 1}`);
}
