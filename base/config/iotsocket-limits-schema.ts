import type { z } from 'zod';
import { defaultIotsocketLimits, type IotsocketLimits } from '../dialects/iotsocket/iotsocket-limits.js';
import { always, section, whole } from './schema-fields.js';

const KIB = 1_024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;
const MIN_MS = 60_000;
/** A bound on a rate or a count that bounds nothing any more. */
const MANY = 1_000_000;
/** Token, and a payload block without data (wire/iotsocket.md, "Telemetry"). */
const LEAST_DATAGRAM = 11;
/** UDP has no longer ones. */
const MOST_DATAGRAM = 65_535;
/** The longest transmission (65 559 octets) must fit into what may be unsent. */
const LEAST_UNSENT = 128 * KIB;

type Name = keyof IotsocketLimits;

/** The least and the most that each may be. */
export const limitRanges: Readonly<Record<Name, readonly [min: number, max: number]>> = {
  sessions: [1, MANY],
  accessListEntries: [1, MANY],
  openingStepMs: [100, 5 * MIN_MS],
  tlsHandshakeMs: [100, 5 * MIN_MS],
  openingMs: [100, 10 * MIN_MS],
  unproved: [1, MANY],
  unprovedPerAddress: [1, MANY],
  transmissionMs: [100, 10 * MIN_MS],
  transmissionsPerS: [1, MANY],
  transmissionBurst: [1, MANY],
  loginFailures: [1, MANY],
  loginsPerMinute: [1, MANY],
  unsentPauseOctets: [KIB, GIB],
  unsentOctets: [LEAST_UNSENT, GIB],
  stalledMs: [1_000, 10 * MIN_MS],
  keptItems: [1, MANY],
  keptOctets: [KIB, GIB],
  keptOctetsInAll: [KIB, 16 * GIB],
  requests: [1, 10 * MANY],
  datagramsPerTokenPerS: [1, MANY],
  datagramsPerS: [1, 10 * MANY],
  datagramOctets: [LEAST_DATAGRAM, MOST_DATAGRAM],
  datagramRefusalsLoggedPerS: [0, 1_000],
  httpBodyOctets: [KIB, 64 * MIB],
  httpMaxWaitMs: [1_000, 60 * MIN_MS],
  httpRequests: [1, 100_000],
};

/** The first of each pair must not be more than the second. */
const ordered: readonly (readonly [Name, Name])[] = [
  ['openingStepMs', 'openingMs'],
  ['tlsHandshakeMs', 'openingMs'],
  ['unprovedPerAddress', 'unproved'],
  ['unsentPauseOctets', 'unsentOctets'],
  ['keptOctets', 'keptOctetsInAll'],
];

const limit = (name: Name) => whole(...limitRanges[name], defaultIotsocketLimits[name]).optional();

/** `iotsocket.limits`. */
export function limitsSection() {
  const shape = Object.fromEntries((Object.keys(limitRanges) as Name[]).map((name) => [name, limit(name)])) as Record<
    Name,
    ReturnType<typeof limit>
  >;
  return section(shape, `{ "sessions": ${defaultIotsocketLimits.sessions} }`).superRefine((given, context) => {
    const all = limitsOf(given);
    for (const [less, more] of ordered) {
      // One of another type was refused already.
      if (typeof all[less] !== 'number' || typeof all[more] !== 'number' || all[less] <= all[more]) continue;
      // At the one that is written: the other may be there by default only.
      const [at, other, than] = given[less] === undefined ? [more, less, 'less'] : [less, more, 'more'];
      const message = `is ${all[at]}, ${than} than ${other}, which is ${all[other]}${given[other] === undefined ? ' unless you write another' : ''}`;
      context.addIssue({ code: 'custom', path: [at], message });
    }
  }, always);
}

/** With the defaults for what a checked section leaves out. */
export function limitsOf(given: z.output<ReturnType<typeof limitsSection>>): IotsocketLimits {
  const written = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaultIotsocketLimits, ...Object.fromEntries(written) };
}
