import type { UnitDefinition } from '../../protocol/definition/index.js';
import { KEY_OCTETS } from '../../protocol/iotsocket/uid.js';
import { fromHex, toHex } from '../../protocol/octets.js';
import { type Log, peerText } from '../core/log.js';
import type { Records } from '../core/records.js';
import type { StoredRecord } from '../core/store.js';

/** Under whose name the records are. */
const HANDLER = 'discovery';
/** More than a house has; each is served as if it were configured. */
export const MAX_ADOPTED = 256;

const isKey = new RegExp(`^[0-9a-f]{${2 * KEY_OCTETS}}$`);

/** A unit that was adopted while a base ran. */
export interface AdoptedUnit {
  readonly uid: string;
  readonly definition: UnitDefinition;
  /** 16 octets; `undefined` of line units. */
  readonly key: Uint8Array | undefined;
}

/**
 * Units that were adopted in earlier runs. One that is configured by now is left to the configuration; one whose definition
 * is gone, or is another kind of unit by now, cannot be served, and waits until that is as it was.
 */
export function adoptedBefore(
  records: readonly StoredRecord[],
  definitions: ReadonlyMap<string, UnitDefinition>,
  isConfigured: (uid: string) => boolean,
  log: Log,
): readonly AdoptedUnit[] {
  return records
    .filter(({ handler }) => handler === HANDLER)
    .slice(0, MAX_ADOPTED)
    .flatMap(({ key: uid, value }): AdoptedUnit[] => {
      if (isConfigured(uid)) return [];
      const { definition: name, key: hex } = (value ?? {}) as { readonly definition?: unknown; readonly key?: unknown };
      const definition = typeof name === 'string' ? definitions.get(name) : undefined;
      const key = typeof hex === 'string' && isKey.test(hex) ? fromHex(hex) : undefined;
      const why = whyNot(definition, key);
      if (definition !== undefined && why === undefined)
        return [{ uid, definition, key: definition.wire === 'line' ? undefined : key }];
      log.warn({ unit: uid, definition: peerText(String(name)) }, `an adopted unit is not served: ${why}`);
      return [];
    });
}

/** Definitions change between two runs. */
function whyNot(definition: UnitDefinition | undefined, key: Uint8Array | undefined): string | undefined {
  if (definition === undefined) return 'its definition is not there; bring it back, or forget the unit';
  if (definition.wire === 'line') return undefined;
  if (definition.sleepMs !== undefined) return 'it sleeps by now, and dials in: write it into units.known';
  return key === undefined ? 'it is no line unit any more, and has no key: forget it, and adopt it anew' : undefined;
}

/** Resolves when it is on disk. Rejects with StoreError. */
export function putAdopted(records: Records, { uid, definition, key }: AdoptedUnit): Promise<void> {
  const value = { definition: definition.name, ...(key === undefined ? {} : { key: toHex(key) }) };
  return records.put(HANDLER, { key: uid, unit: uid, value }, MAX_ADOPTED);
}

/** Whether it is in the store: it may be forgotten while it is put there. */
export const isAdopted = (records: Records, uid: string): boolean => records.of(HANDLER).some(({ key }) => key === uid);

/** How many there are in the store, those that are not served too. */
export const countAdopted = (records: Records): number => records.of(HANDLER).length;

/** Resolves when it is gone from the disk. Rejects with StoreError. */
export const eraseAdopted = (records: Records, uid: string): Promise<void> => records.erase(HANDLER, uid);
