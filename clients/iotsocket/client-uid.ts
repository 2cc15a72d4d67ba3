import { UID_OCTETS } from '../../protocol/iotsocket/uid.js';
import { refuse } from '../connection/check-option.js';

/** Throws ConfigurationError `config-invalid` unless it is 1 to 16 octets of UTF-8 without a `00`. */
export function checkUid(uid: string): string {
  const octets = new TextEncoder().encode(uid).length;
  if (octets < 1 || octets > UID_OCTETS || /\0|\p{Surrogate}/u.test(uid))
    refuse('uid', `must have 1 to ${UID_OCTETS} octets; ${JSON.stringify(uid)} has ${octets}`);
  return uid;
}
