import type { UnitDefinition } from '../../protocol/definition/index.js';
import { ConfigurationError } from '../../protocol/errors.js';
import { keyMarker } from '../../protocol/iotsocket/key-marker.js';
import type { SessionCrypto } from '../../protocol/iotsocket/proof.js';
import { peerText } from '../core/log.js';
import { suggest } from '../core/suggest.js';
import type { AdoptedUnit } from './adopted-units.js';
import type { AnnouncedUnit } from './announced-unit.js';

/**
 * What an announced unit is served as, once it is adopted with that key. Throws ConfigurationError `request-refused`, with
 * what to do.
 */
export function adoptable(
  { uid, definition: name, key: announced }: AnnouncedUnit,
  key: Uint8Array | undefined,
  definitions: ReadonlyMap<string, UnitDefinition>,
  crypto: Pick<SessionCrypto, 'hmac'>,
): AdoptedUnit {
  const definition = definitions.get(name);
  if (definition === undefined) throw refused(unknownDefinition(uid, name, definitions));
  const isLine = definition.wire === 'line';
  if (isLine && announced !== 'line') throw refused(`${uid} says that it is no line unit, but ${name} is one here`);
  if (!isLine && announced === 'line') throw refused(`${uid} says that it is a line unit, but ${name} is none here`);
  if (isLine && key !== undefined) throw refused(`${uid} is a line unit, which proves nothing: leave its key out`);
  if (isLine) return { uid, definition, key: undefined };
  if (definition.sleepMs !== undefined)
    throw refused(`${uid} sleeps, and dials in when it wakes: write it into units.known, without an address`);
  if (announced === 'none') throw refused(`${uid} has no key yet; "baseunit provision" gives it one over USB`);
  if (key === undefined) throw refused(`${uid} needs its key, the one that it was given: --key file:path`);
  if (announced !== 'line' && keyMarker(crypto, key, uid) !== announced.marker)
    throw refused(`that is not the key of ${uid}, by what it announces; give it the one that the unit was given`);
  return { uid, definition, key };
}

export const refused = (what: string): ConfigurationError => new ConfigurationError('request-refused', what);

function unknownDefinition(uid: string, name: string, definitions: ReadonlyMap<string, UnitDefinition>): string {
  const near = suggest(name, definitions.keys());
  const there = near === undefined ? `there are ${[...definitions.keys()].join(', ') || 'none'}` : `is ${near} meant?`;
  return `${uid} runs ${JSON.stringify(peerText(name))}, of which there is no definition here: ${there}`;
}
