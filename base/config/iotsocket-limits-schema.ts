import { defaultIotsocketLimits, type IotsocketLimits } from '../dialects/iotsocket/iotsocket-limits.js';
import { type LimitsField, limitsField, withDefaults } from './limits-fields.js';

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

const field: LimitsField<Name> = { defaults: defaultIotsocketLimits, ranges: limitRanges, ordered };

let made: ReturnType<typeof limitsField<Name>> | undefined;

/** `iotsocket.limits`. The same for all files: to make it takes longer than to check one. */
export function limitsSection() {
  made ??= limitsField(field);
  return made;
}

/** With the defaults for what a checked section leaves out. */
export const limitsOf = (given: { readonly [N in Name]?: number | undefined }): IotsocketLimits =>
  withDefaults(defaultIotsocketLimits, given);
