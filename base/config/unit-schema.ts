import { z } from 'zod';
import { messagesOf, type UnitDefinition } from '../../protocol/definition/index.js';
import { addressText, isSerial, networkAddress, type Whereabouts } from '../core/address.js';
import { suggest } from '../core/suggest.js';
import { canonicalHost } from './address.js';
import { DEFAULT_UNIT_PORT, type KnownUnit, MAX_KNOWN_UNITS, MAX_UID_OCTETS } from './configuration.js';
import type { Definitions } from './definitions.js';
import { address, always, expected, key, section, whereabouts } from './schema-fields.js';
import type { Secrets } from './secrets.js';

const lineEnds = ['\r', '\n', '\r\n'] as const;
/** As a field's `decimals` in a definition. */
const MAX_DECIMALS = 6;
const UNIT_ADDRESS = '"192.168.1.20", "kitchen-lamp.local:8888", "serial:/dev/ttyUSB0" or "mdns"';
const UNIT_EXAMPLE = '{ "definition": "led-lamp", "address": "192.168.1.20", "key": "file:…" }';

/** One unit under `units.known`. */
function knownUnit(definitions: Definitions, secrets: Secrets) {
  const shape = {
    definition: definitionName(definitions),
    address: whereabouts(DEFAULT_UNIT_PORT, UNIT_ADDRESS).optional(),
    key: key(secrets).optional(),
    lineEnd: z.enum(lineEnds, { error: 'must be "\\r", "\\n" or "\\r\\n"' }).optional(),
    decimals: z
      .int({ error: expected('a whole number', '2') })
      .min(0, { error: `must be 0 to ${MAX_DECIMALS}` })
      .max(MAX_DECIMALS, { error: `must be 0 to ${MAX_DECIMALS}` })
      .optional(),
  };
  return section(shape, UNIT_EXAMPLE).superRefine((unit, context) => {
    const { definition } = unit;
    const say = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (networkAddress(unit.address)?.port === 0)
      say(['address'], 'has port 0, which nobody listens at; write 1 to 65535');
    if (definition === undefined) return;
    if (definition.wire === 'session') {
      if (!('key' in unit)) say([], `needs a key: ${definition.name} is a typed unit; "baseunit keys make" makes one`);
      if (definition.sleepMs !== undefined && 'address' in unit)
        say(['address'], `has no meaning for ${definition.name}, which sleeps and dials in when it wakes; take it out`);
      if (unit.lineEnd !== undefined)
        say(['lineEnd'], `has no meaning for ${definition.name}, which is no line unit; take it out`);
    } else {
      if (!('address' in unit)) say([], `needs an address: a line unit never dials in; write ${UNIT_ADDRESS}`);
      if ('key' in unit) say(['key'], `has no meaning for ${definition.name}: line units prove nothing; take it out`);
      if (unit.lineEnd !== undefined && definition.kind === 'read') {
        say(['lineEnd'], `has no meaning for ${definition.name}: nothing is written to a read unit; take it out`);
      }
    }
    if (unit.decimals !== undefined && !writesDecimals(definition)) {
      say(
        ['decimals'],
        `has no meaning for ${definition.name}: only updatable line units with a f32 field are written decimals; take it out`,
      );
    }
  }, always);
}

/** `units`. */
export function unitsSection(definitions: Definitions, secrets: Secrets) {
  const shape = {
    listen: address(DEFAULT_UNIT_PORT, '"0.0.0.0:8888"').optional(),
    known: z
      .record(z.string(), knownUnit(definitions, secrets), {
        error: expected('an object', `{ "kitchen-lamp": ${UNIT_EXAMPLE} }`),
      })
      .optional(),
  };
  return section(shape, `{ "known": { "kitchen-lamp": ${UNIT_EXAMPLE} } }`).superRefine((units, context) => {
    const say = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['known', ...path], message });
    const known = typeof units.known === 'object' && units.known !== null ? Object.entries(units.known) : [];
    if (known.length > MAX_KNOWN_UNITS) say([], `has ${known.length} units; a base serves at most ${MAX_KNOWN_UNITS}`);
    const taken = new Map<string, string>();
    for (const [uid, unit] of known) {
      const problem = problemOfUid(uid);
      if (problem !== undefined) say([uid], problem);
      if (typeof unit !== 'object' || unit === null) continue;
      if (!('address' in unit) && !('listen' in units) && unit.definition?.wire === 'session') {
        const what =
          unit.definition.sleepMs === undefined
            ? 'has no address, and units.listen is not there for it to dial in; write one of them'
            : `sleeps and dials in when it wakes, and units.listen is not there for it; write "listen": "0.0.0.0:8888"`;
        say([uid], what);
      }
      // A value of another type was refused already, and is no address here.
      const spelling = spellingOf(unit.address);
      if (spelling === undefined || unit.address === undefined) continue;
      const other = taken.get(spelling);
      if (other !== undefined) {
        say(
          [uid, 'address'],
          `${addressText(unit.address)} is the address of ${other} too; a unit has one connection: give each its own`,
        );
      }
      taken.set(spelling, uid);
    }
  }, always);
}

/** The same for all spellings of one place; `undefined` of what is none. */
function spellingOf(where: Whereabouts | undefined): string | undefined {
  if (typeof where !== 'object' || where === null) return undefined;
  if (isSerial(where)) return where.serial;
  return typeof where.host === 'string' ? `${canonicalHost(where.host)} ${where.port}` : undefined;
}

/** What a checked `units` section says, in the form the base uses. */
export function knownUnitsOf(known: z.output<ReturnType<typeof unitsSection>>['known']): KnownUnit[] {
  return Object.entries(known ?? {}).map(([uid, unit]) => ({
    uid,
    definition: adjusted(unit.definition!, unit.lineEnd, unit.decimals),
    address: unit.address,
    key: unit.key,
    isLegacy: false,
  }));
}

function definitionName(definitions: Definitions) {
  const example = `the name of a definition, as ${JSON.stringify(definitions.keys().next().value ?? 'led-lamp')}`;
  return z.string({ error: expected('a string', example) }).transform((name, context): UnitDefinition | undefined => {
    const loaded = definitions.get(name);
    if (loaded !== undefined) return loaded.definition;
    const near = suggest(name, definitions.keys());
    const what =
      near === undefined ? `there are ${[...definitions.keys()].join(', ') || 'none'}` : `did you mean ${near}?`;
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(name)} is no definition; ${what}`,
      input: undefined,
    });
    return undefined;
  });
}

function problemOfUid(uid: string): string | undefined {
  if (uid === '') return 'is an empty name; a unit needs a UID';
  const octets = new TextEncoder().encode(uid).length;
  if (octets > MAX_UID_OCTETS)
    return `is a UID of ${octets} octets; at most ${MAX_UID_OCTETS} fit the protocol: shorten it`;
  return /[\p{Cc}\p{Surrogate}]/u.test(uid) ? 'is a UID with control characters; take them out' : undefined;
}

function writesDecimals(definition: UnitDefinition): boolean {
  if (definition.wire !== 'line' || definition.kind !== 'updatable') return false;
  return messagesOf(definition).some(({ fields }) => Object.values(fields).some(({ kind }) => kind === 'f32'));
}

/** Neither is in the descriptor: the fingerprint stays what it was. */
function adjusted(
  definition: UnitDefinition,
  lineEnd: UnitDefinition['lineEnd'] | undefined,
  decimals: number | undefined,
): UnitDefinition {
  const ended = lineEnd === undefined ? definition : { ...definition, lineEnd };
  if (decimals === undefined) return ended;
  const commands = Object.entries(ended.commands).map(([name, command]) => {
    const fields = Object.entries(command.fields ?? {}).map(([field, type]) => [
      field,
      type.kind === 'f32' ? { ...type, decimals } : type,
    ]);
    return [name, { ...command, fields: Object.fromEntries(fields) }];
  });
  return { ...ended, commands: Object.fromEntries(commands) };
}
